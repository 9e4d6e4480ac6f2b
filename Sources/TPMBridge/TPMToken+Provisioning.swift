public import Token

/// Making and clearing away the daemon's own keys.
extension TPMToken {
    /// Makes the storage key, unless its handle holds it already, one key per role, and a sealed sentinel for each
    /// sealing role; goes on with the new manifest.
    ///
    /// Each role's key carries a digest of instance and role where a policy would stand. No policy has that digest, so it
    /// allows nothing; it is how ``sweep(instance:)`` knows what is ours.
    ///
    /// - Parameter instance: 16 random bytes in hex; see ``TokenManifest/makeInstance()``.
    /// - Throws: `.alreadyProvisioned` if one of our handles is taken, naming it.
    public func provision(instance: String) async throws(HSMError) -> TokenManifest {
        guard TokenManifest.isInstance(instance) else {
            throw HSMError(.invalidArgument, "An instance id is 16 bytes in lower-case hex.")
        }
        guard manifest == nil else {
            throw HSMError(.alreadyProvisioned, "This TPM is already in use with a manifest.")
        }
        let queue = queue
        let made = try await perform(timeout: .seconds(120)) { (connection) throws(HSMError) in
            let manifest = try TPMProvisioner(instance: instance, connection: connection).run()
            queue.manifest = manifest
            connection.isOver = true
            return manifest
        }
        try await waitUntilReady(timeout: configuration.callTimeout)
        return made
    }

    /// Removes the keys of an instance whose manifest was never stored; the storage key stays, it is the TPM's own.
    ///
    /// - Returns: The labels of the removed keys.
    @discardableResult
    public func sweep(instance: String? = nil) async throws(HSMError) -> [String] {
        guard manifest == nil, let instance, TokenManifest.isInstance(instance) else {
            throw HSMError(.invalidArgument, "Only an instance without a manifest is swept: 16 bytes in hex.")
        }
        return try await perform(timeout: .seconds(120)) { (connection) throws(HSMError) in
            try TPMProvisioner(instance: instance, connection: connection).sweep()
        }
    }
}
