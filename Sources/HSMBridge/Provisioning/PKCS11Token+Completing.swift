import Encodings
public import Token

/// What provisioning makes today and did not make when a token was provisioned.
extension PKCS11Token {
    /// Makes a key for each role that the manifest lacks, adds what its keys are to be known by, and goes on with the new
    /// manifest.
    ///
    /// Keys of these roles that are there were made by an attempt whose manifest was never stored. Nobody knows them, so
    /// they are destroyed. Public halves that the manifest takes over stay on the token until ``sweep(instance:)``.
    ///
    /// - Returns: The manifest to store; nil if nothing is missing.
    public func completeProvisioning() async throws(HSMError) -> TokenManifest? {
        guard let manifest, !manifest.missingRoles.isEmpty || manifest.lacksProofs else { return nil }
        let (nonces, dispensed, rootLock) = (nonces, configuration.dispensed, configuration.rootLock)
        let supervisor = supervisor
        let completed = try await performSerialised { (session, connection) throws(HSMError) in
            let provisioner = Provisioner(
                instance: manifest.instance, identity: connection.identity, nonces: nonces, dispensed: dispensed,
                rootLock: rootLock)
            var completed = manifest
            for role in manifest.missingRoles {
                let label = TokenManifest.label(instance: manifest.instance, role: role)
                for object in try Provisioner.objects(of: manifest.instance, session)
                where object.label.isExactly(label) {
                    try session.destroy(object.handle)
                }
                completed[role] = try provisioner.make(role, for: completed, session)
            }
            try SealingSecret.complete(&completed, session)
            for (role, key) in connection.keys {
                if completed[role]?.publicKey == nil, let point = key.publicKey?.point {
                    completed[role]?.publicKey = Hexadecimal.encode(point)
                }
                if key.kind == .aes256Wrap, completed[role]?.sentinel == nil {
                    completed[role]?.sentinel = try provisioner.sentinel(role, key.kind, key.original, session)
                }
            }
            guard completed != manifest else { return manifest }
            supervisor.adopt(completed)
            supervisor.renew(generation: connection.generation)
            return completed
        }
        guard completed != manifest else { return nil }
        try await waitUntilReady(timeout: configuration.callTimeout)
        return completed
    }
}
