import CTSS2
import SecretMemory
import Token

extension TPMContext {
    /// Lets the TPM state, signed by `signer`, that it holds `object` and what that is (TPM 2.0 Library part 3, section
    /// 18.2).
    ///
    /// - Parameters:
    ///   - data: At most 32 bytes, which every TPM has room for.
    ///   - primary: Salts the second session.
    /// - Returns: `TPMS_ATTEST` and `TPMT_SIGNATURE`.
    func certify(
        _ object: ESYS_TR, by signer: ESYS_TR, _ authorization: SharedSecret, data: [UInt8], saltedBy primary: ESYS_TR
    ) throws(HSMError) -> (attest: [UInt8], signature: [UInt8]) {
        var qualifying = TPM2B_DATA()
        TPMBytes.fill(&qualifying, data)
        var scheme = kms_ecdsa(TPMI_ALG_HASH(TPM2_ALG_SHA256))
        var info: UnsafeMutablePointer<TPM2B_ATTEST>?
        var made: UnsafeMutablePointer<TPMT_SIGNATURE>?
        // A command names a session once at most (part 1, section 19.6.4), and this one authorises two objects.
        let second = try makeSession(saltedBy: primary)
        defer { _ = Esys_FlushContext(esys, second) }
        let flags = TPMA_SESSION(TPMA_SESSION_CONTINUESESSION)
        try call("Esys_TRSess_SetAttributes") { Esys_TRSess_SetAttributes(esys, second, flags, 0xFF) }
        try withAuthorization(object, authorization) { () throws(HSMError) in
            try withAuthorization(signer, authorization) { () throws(HSMError) in
                let session = try session(encrypting: false, decrypting: false)
                try call("Esys_Certify") {
                    Esys_Certify(
                        esys, object, signer, session, second, Self.none, &qualifying, &scheme, &info, &made)
                }
            }
        }
        defer {
            Esys_Free(info)
            Esys_Free(made)
        }
        guard let info, let made else { throw HSMError(.deviceFailure, "Esys_Certify gave nothing.") }
        var signature = [UInt8](repeating: 0, count: MemoryLayout<TPMT_SIGNATURE>.size)
        var count = 0
        let response = TPMResponse(
            rawValue: Tss2_MU_TPMT_SIGNATURE_Marshal(made, &signature, signature.count, &count))
        guard response == .success else { throw .returned(response, by: "Tss2_MU_TPMT_SIGNATURE_Marshal") }
        return (TPMBytes.array(info.pointee), Array(signature.prefix(count)))
    }

    /// Lets the TSS forget an object that the TPM keeps.
    func close(_ object: TPMObject) {
        var handle = object.handle
        _ = Esys_TR_Close(esys, &handle)
    }
}

extension TPMObject {
    /// Whether it was made in its TPM, cannot leave it, and signs nothing but what the TPM itself says.
    var isBoundAttestationKey: Bool {
        let area = publicArea.publicArea
        // How it is used is the configuration's affair.
        let use = UInt32(TPMA_OBJECT_NODA) | UInt32(TPMA_OBJECT_USERWITHAUTH)
        return area.type == TPMI_ALG_PUBLIC(TPM2_ALG_ECC)
            && area.objectAttributes & ~use == (kms_leaf_attributes(1) | UInt32(TPMA_OBJECT_RESTRICTED)) & ~use
    }
}
