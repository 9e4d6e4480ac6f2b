import CTSS2
import SecretMemory
import Token

/// Multiplying points by keys of the TPM.
extension TPMContext {
    /// [k]P by TPM2_ECDH_ZGen, lent and then overwritten. Both points are encrypted on their way.
    ///
    /// - Parameter point: 04 ‖ X ‖ Y, on the key's curve.
    /// - Throws: `.invalidArgument` for a point that the TPM does not find on the curve.
    func withProduct<R>(
        _ key: ESYS_TR, _ authorization: SharedSecret, _ point: [UInt8],
        _ body: (UnsafePointer<TPMS_ECC_POINT>) throws(HSMError) -> R
    ) throws(HSMError) -> R {
        let width = (point.count - 1) / 2
        var input = TPM2B_ECC_POINT()
        TPMBytes.fill(&input.point.x, Array(point[1...width]))
        TPMBytes.fill(&input.point.y, Array(point[(1 + width)...]))
        var pointer: UnsafeMutablePointer<TPM2B_ECC_POINT>?
        try withAuthorization(key, authorization) { () throws(HSMError) in
            let session = try session(encrypting: true, decrypting: true)
            try call("Esys_ECDH_ZGen") {
                Esys_ECDH_ZGen(esys, key, session, Self.none, Self.none, &input, &pointer)
            }
        }
        guard let pointer else { throw HSMError(.deviceFailure, "Esys_ECDH_ZGen gave nothing.") }
        defer {
            TPMBytes.wipe(&pointer.pointee)
            Esys_Free(pointer)
            wipeResponse()
        }
        return try withUnsafePointer(to: &pointer.pointee.point, body)
    }

    /// Takes a wrapped key in below the storage key.
    ///
    /// - Parameter wrappingKey: of the inner wrapping; encrypted by the session on its way.
    func importKey(
        _ publicArea: TPM2B_PUBLIC, wrapped: [UInt8], wrappingKey: SharedSecret, parent: ESYS_TR
    ) throws(HSMError) -> TPMKeyBlob {
        var publicArea = publicArea
        var duplicate = TPM2B_PRIVATE()
        TPMBytes.fill(&duplicate, wrapped)
        var outerSeed = TPM2B_ENCRYPTED_SECRET()
        var cipher = kms_import_cipher()
        var key = TPM2B_DATA()
        defer { TPMBytes.wipe(&key) }
        wrappingKey.withUnsafeBytes { TPMBytes.fill(&key, $0) }
        var privatePart: UnsafeMutablePointer<TPM2B_PRIVATE>?
        let session = try session(encrypting: true, decrypting: true)
        try call("Esys_Import") {
            Esys_Import(
                esys, parent, session, Self.none, Self.none, &key, &publicArea, &duplicate, &outerSeed, &cipher,
                &privatePart)
        }
        defer { Esys_Free(privatePart) }
        guard let privatePart else { throw HSMError(.deviceFailure, "Esys_Import gave nothing.") }
        return TPMKeyBlob(publicArea: publicArea, privateArea: privatePart.pointee)
    }
}
