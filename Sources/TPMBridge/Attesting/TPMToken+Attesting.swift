import CTSS2
import LibCrypto
public import Token

extension TPMToken {
    /// Lets the TPM certify the key with its attestation key.
    ///
    /// - Parameter nonce: Up to 32 bytes are the statement's `extraData` as they are, more of them their SHA-256, because
    ///   a TPM with no longer hash than that has room for no more.
    /// - Throws: `.mechanismUnsupported` if the TPM was provisioned without an attestation key; `.keyMissing` and
    ///   `.keyMismatch` if the key at its handle is not the manifest's.
    public func attest(_ key: ResidentKeyBlob, nonce: [UInt8]) async throws(HSMError) -> ResidentKeyEvidence {
        guard key.identifier.count == 16 else {
            throw HSMError(.invalidArgument, "A key identifier has 16 bytes, not \(key.identifier.count).")
        }
        guard let pinned = manifest?.attestationKey else {
            throw HSMError(
                .mechanismUnsupported,
                "This TPM was provisioned without an attestation key; run `kmsd init` again, which adds it.")
        }
        let data = try Self.qualifyingData(nonce)
        return try await perform { (connection) throws(HSMError) in
            guard let primary = connection.primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
            let signer = try connection.attestationKey(pinned)
            defer { connection.context.close(signer) }
            let handle = try connection.load(key)
            let (attest, signature) = try connection.context.certify(
                handle, by: signer.handle, connection.authorization, data: data, saltedBy: primary.handle)
            return .tpm(
                TPMEvidence(
                    publicArea: try TPMContext.unsized(TPMKeyBlob(key.wrapped).publicArea), attest: attest,
                    signature: signature, attestationKey: try TPMContext.unsized(signer.publicArea)))
        }
    }

    private static func qualifyingData(_ nonce: [UInt8]) throws(HSMError) -> [UInt8] {
        guard nonce.count > 32 else { return nonce }
        do {
            return try Digest.sha256(nonce)
        } catch {
            throw HSMError(.deviceFailure, "Could not hash a nonce: \(error).")
        }
    }
}

extension TPMContext {
    /// `TPMT_PUBLIC`: what a name is the hash of.
    static func unsized(_ publicArea: TPM2B_PUBLIC) throws(HSMError) -> [UInt8] {
        Array(try marshal(publicArea).dropFirst(2))
    }
}

extension TPMConnection {
    /// The attestation key, if it is the manifest's; to be closed.
    fileprivate func attestationKey(_ pinned: TokenManifest.Key) throws(HSMError) -> TPMObject {
        let handles = TPMHandles(configuration.address.handles)
        guard let object = try context.persistentObject(handles.attestation) else {
            throw HSMError(.keyMissing, "The TPM has no attestation key at \(handles.attestationText).")
        }
        guard object.isBoundAttestationKey, try TPMToken.describe(object).fingerprint == pinned.fingerprint else {
            context.close(object)
            throw HSMError(
                .keyMismatch, "The TPM's key at \(handles.attestationText) is not the attestation key it was given.")
        }
        return object
    }
}
