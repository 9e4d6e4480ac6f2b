import CTSS2
import SecretMemory
import Token

/// The attestation key: restricted, so that the TPM signs only its own statements with it (TPM 2.0 Library part 1,
/// section 25.2), marked as the other keys are.
extension TPMProvisioner {
    private var attestationLabel: String { TokenManifest.attestationLabel(instance: instance) }

    func refuseTakenAttestationHandle() throws(HSMError) {
        guard let object = try context.persistentObject(handles.attestation) else { return }
        context.close(object)
        throw HSMError(
            .alreadyProvisioned,
            "The TPM's handle \(handles.attestationText) is taken. Give other ones with 'handles=' in token-uri, or "
                + "remove that object: tpm2_evictcontrol -c \(handles.attestationText).")
    }

    func makeAttestationKey(below primary: TPMObject, _ owner: SharedSecret?) throws(HSMError) -> TokenManifest.Key {
        var template = kms_attestation_template(connection.configuration.address.lockout ? 1 : 0)
        let digest = try mark(attestationLabel)
        kms_set_label(&template, digest, digest.count)
        // Not bound to registers: it says what keys are in whatever state the machine is, and opens nothing.
        let blob = try context.create(
            template, parent: primary.handle, authorization: connection.authorization, sealing: nil)
        let loaded = try context.load(blob, parent: primary.handle)
        defer { _ = try? context.flush(loaded) }
        try context.persist(loaded, at: handles.attestation, owner: owner)
        guard let kept = try context.persistentObject(handles.attestation) else {
            throw HSMError(.deviceFailure, "The TPM did not keep its attestation key.")
        }
        defer { context.close(kept) }
        return TokenManifest.Key(
            id: handles.attestationText, label: attestationLabel, kind: .ecP256,
            fingerprint: try TPMToken.describe(kept).fingerprint, sentinel: nil)
    }

    /// Makes the key for an instance that was provisioned without one.
    ///
    /// One that carries our mark was made by an attempt whose manifest was never stored. Nobody knows it, so it goes.
    func addAttestationKey() throws(HSMError) -> TokenManifest.Key {
        guard let primary = connection.primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
        let owner = try Authorization.ofOwner(connection.configuration.ownerSource)
        _ = try sweepAttestationKey(owner)
        try refuseTakenAttestationHandle()
        return try makeAttestationKey(below: primary, owner)
    }

    /// - Returns: The label of what was removed.
    func sweepAttestationKey(_ owner: SharedSecret?) throws(HSMError) -> [String] {
        guard let object = try context.persistentObject(handles.attestation) else { return [] }
        guard TPMBytes.array(object.publicArea.publicArea.authPolicy) == (try mark(attestationLabel)) else {
            context.close(object)
            return []
        }
        try context.removePersistent(object.handle, at: handles.attestation, owner: owner)
        return [attestationLabel]
    }
}
