import CTSS2
public import Token

extension TPMToken {
    /// Makes what provisioning makes today and did not make when this TPM was provisioned: the keys of roles that the
    /// manifest lacks, and the attestation key. Goes on with the new manifest.
    ///
    /// - Returns: The manifest to store; nil if nothing is missing.
    /// - Throws: `.alreadyProvisioned` if somebody else's object is at one of the handles.
    public func completeProvisioning() async throws(HSMError) -> TokenManifest? {
        guard let manifest, manifest.attestationKey == nil || !manifest.missingRoles.isEmpty else { return nil }
        let queue = queue
        let completed = try await perform(timeout: .seconds(120)) { (connection) throws(HSMError) in
            let provisioner = TPMProvisioner(instance: manifest.instance, connection: connection)
            let completed = try provisioner.complete(manifest)
            queue.manifest = completed
            connection.isOver = true
            return completed
        }
        try await waitUntilReady(timeout: configuration.callTimeout)
        return completed
    }
}

extension TPMProvisioner {
    /// A key that carries our mark was made by an attempt whose manifest was never stored. Nobody knows it, so it goes.
    func complete(_ manifest: TokenManifest) throws(HSMError) -> TokenManifest {
        guard let primary = connection.primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
        let owner = try Authorization.ofOwner(connection.configuration.ownerSource)
        var completed = manifest
        for role in manifest.missingRoles {
            if let object = try context.persistentObject(handles[role]) {
                guard try isOurs(object, role) else { throw taken(role) }
                try context.removePersistent(object.handle, at: handles[role], owner: owner)
                // Also makes the TSS forget what was there; it takes the new key for the old one otherwise.
                guard try context.persistentObject(handles[role]) == nil else { throw taken(role) }
            }
            completed[role] = try make(role, below: primary, owner)
        }
        if completed.attestationKey == nil { completed.attestationKey = try addAttestationKey() }
        return completed
    }

    /// Whether an object that no manifest names was made for this instance.
    func isOurs(_ object: TPMObject, _ role: KeyRole) throws(HSMError) -> Bool {
        [try mark(role), try policyMark()].contains(TPMBytes.array(object.publicArea.publicArea.authPolicy))
    }

    func taken(_ role: KeyRole) -> HSMError {
        HSMError(
            .alreadyProvisioned,
            "The TPM's handle \(handles.text(role)) is taken. Give other ones with 'handles=' in token-uri, or "
                + "remove that object: tpm2_evictcontrol -c \(handles.text(role)).")
    }
}
