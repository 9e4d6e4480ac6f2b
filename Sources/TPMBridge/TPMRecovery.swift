import Token

/// What to do about an answer other than success. Pure; one row for each kind of code.
package enum TPMRecovery: Sendable, Equatable {
    /// The TPM is busy: the same command again after a pause.
    case wait
    /// Slots are used up: flush what is ours, then once more.
    case flush
    /// Handles or sessions are gone, after a reset: everything is built anew, then once more.
    case reopen
    /// The TPM cannot be reached or gives answers that are no TPM's: refuse requests and reconnect.
    case lost
    /// Authorization values are refused for some time.
    case lockedOut
    /// The machine's state is not an approved one.
    case unapproved
    /// Only a person can help; never retried.
    case `operator`
    /// The answer stands.
    case fatal

    package init(_ response: TPMResponse) {
        switch response.layer {
        // A connection that breaks between two requests is nobody's failure: the TPM may be back already.
        case .tcti: self = response.code == 10 ? .reopen : .lost
        case .esapi, .sapi, .marshalling, .unknown: self = .lost
        case .tpm, .resourceManager: self = Self.device(response.code)
        }
    }

    private static func device(_ code: UInt32) -> TPMRecovery {
        switch code {
        // RETRY, YIELDED, TESTING, CANCELED, NV_RATE, NV_UNAVAILABLE.
        case 0x922, 0x908, 0x90A, 0x909, 0x920, 0x923: .wait
        // OBJECT_MEMORY, SESSION_MEMORY, MEMORY, SESSION_HANDLES, OBJECT_HANDLES.
        case 0x902...0x906: .flush
        // INITIALIZE, REFERENCE_H0 to _S6, HANDLE, CONTEXT_GAP; and AUTH_FAIL, BAD_AUTH: a session of before a reset
        // fails so too, and connecting again tells the two apart. PCR_CHANGED: the values are looked at again.
        case 0x100, 0x910...0x91E, 0x08B, 0x901, 0x08E, 0x0A2, 0x128: .reopen
        case 0x921: .lockedOut
        // FAILURE, NEEDS_TEST: failure mode.
        case 0x101, 0x153: .lost
        // POLICY_FAIL, PCR, POLICY, AUTH_UNAVAILABLE, HIERARCHY, DISABLED.
        case 0x09D, 0x127, 0x126, 0x12F, 0x085, 0x120: .operator
        // BAD_TAG: not a TPM 2.0.
        case 0x01E: .lost
        default: .fatal
        }
    }
}

extension HSMError {
    /// The error for a code other than success: what it means in general; code that knows more refines it.
    static func returned(_ response: TPMResponse, by function: StaticString) -> HSMError {
        let (code, meaning): (Code, String) =
            switch TPMRecovery(response) {
            case .wait, .flush: (.overloaded, "the TPM has no room or time now")
            case .lost, .reopen:
                response.isAuthorization
                    ? (.pinRefused, "the TPM refuses the authorization value") : (.tokenUnavailable, "out of reach")
            case .unapproved: (.pcrMismatch, "the machine's state is not an approved one")
            case .lockedOut: (.lockedOut, "the TPM refuses authorization values for some time")
            case .operator: (.deviceFailure, "the TPM's state or policy does not allow it")
            case .fatal:
                switch response.code {
                // CURVE, SCHEME, HASH, KEY_SIZE, ASYMMETRIC, SYMMETRIC, MODE, COMMAND_CODE.
                case 0x0A6, 0x092, 0x083, 0x087, 0x081, 0x096, 0x089, 0x143:
                    (.mechanismUnsupported, "the TPM cannot do this")
                // INTEGRITY, SENSITIVE, BINDING, SIGNATURE, TICKET.
                case 0x09F, 0x155, 0x0A5, 0x09B, 0x0A0: (.authenticationFailed, "the input is not authentic")
                // SIZE, COMMAND_SIZE.
                case 0x095, 0x142: (.inputTooLong, "the TPM takes no input of this length")
                default: (.deviceFailure, "the TPM reports a failure")
                }
            }
        return HSMError(
            code, "\(function) returned \(response.name): \(meaning).",
            cause: HSMError.Cause(response, function: "\(function)"))
    }
}

extension TPMResponse {
    /// AUTH_FAIL or BAD_AUTH from the TPM.
    var isAuthorization: Bool { (layer == .tpm || layer == .resourceManager) && (code == 0x08E || code == 0x0A2) }
}
