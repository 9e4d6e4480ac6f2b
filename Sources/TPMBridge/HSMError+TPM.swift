import Token

extension HSMError {
    /// What the TPM, or the software between it and us, answered; nil if the error comes from neither.
    ///
    /// Every cause of an error that this target sees is a TPM's.
    var tpmResponse: TPMResponse? { cause.map { TPMResponse(rawValue: UInt32(truncatingIfNeeded: $0.code)) } }
}

extension HSMError.Cause {
    init(_ response: TPMResponse, function: String) {
        self.init(code: UInt64(response.rawValue), name: response.name, function: function)
    }
}
