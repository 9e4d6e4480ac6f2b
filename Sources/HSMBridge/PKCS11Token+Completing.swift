/// What provisioning makes today and did not make when a token was provisioned.
extension PKCS11Token {
    /// Makes a key for each role that the manifest lacks, and goes on with the new manifest.
    ///
    /// Keys of these roles that are there were made by an attempt whose manifest was never stored. Nobody knows them, so
    /// they are destroyed.
    ///
    /// - Returns: The manifest to store; nil if nothing is missing.
    public func completeProvisioning() async throws(HSMError) -> TokenManifest? {
        guard let manifest, !manifest.missingRoles.isEmpty else { return nil }
        let nonces = nonces
        let supervisor = supervisor
        let completed = try await performSerialised { (session, connection) throws(HSMError) in
            let provisioner = Provisioner(
                instance: manifest.instance, identity: connection.identity, nonces: nonces)
            var completed = manifest
            for role in manifest.missingRoles {
                let label = TokenManifest.label(instance: manifest.instance, role: role)
                for object in try Provisioner.objects(of: manifest.instance, session) where object.label == label {
                    try session.destroy(object.handle)
                }
                completed[role] = try provisioner.make(role, session)
            }
            supervisor.adopt(completed)
            supervisor.renew(generation: connection.generation)
            return completed
        }
        try await waitUntilReady(timeout: configuration.callTimeout)
        return completed
    }
}
