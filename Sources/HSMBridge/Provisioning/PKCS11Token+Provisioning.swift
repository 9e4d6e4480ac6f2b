import Encodings
public import Token

/// Making and clearing away the daemon's own keys.
extension PKCS11Token {
    /// Makes one key per role and a sealed sentinel for each sealing role, and goes on with the new manifest.
    ///
    /// Every label begins with `kmsd/<instance>/`. Write the instance id down first: if the process dies before the
    /// manifest is stored, ``sweep(instance:)`` finds what was made.
    ///
    /// - Parameter instance: 16 random bytes in hex; see ``TokenManifest/makeInstance()``.
    /// - Throws: `.alreadyProvisioned` if the token holds any object of the instance; after any other error nothing of
    ///   the instance is left, unless the token went away, and then ``sweep(instance:)`` clears it.
    public func provision(instance: String) async throws(HSMError) -> TokenManifest {
        guard TokenManifest.isInstance(instance) else {
            throw HSMError(.invalidArgument, "An instance id is 16 bytes in lower-case hex.")
        }
        guard manifest == nil else {
            throw HSMError(.alreadyProvisioned, "This token is already in use with a manifest.")
        }
        let (nonces, dispensed, rootLock) = (nonces, configuration.dispensed, configuration.rootLock)
        let supervisor = supervisor
        let made = try await performSerialised { (session, connection) throws(HSMError) in
            let provisioner = Provisioner(
                instance: instance, identity: connection.identity, nonces: nonces, dispensed: dispensed,
                rootLock: rootLock)
            let manifest = try provisioner.run(session)
            supervisor.adopt(manifest)
            supervisor.renew(generation: connection.generation)
            return manifest
        }
        do throws(HSMError) {
            try await waitUntilReady(timeout: configuration.callTimeout)
        } catch {
            throw HSMError(
                error.code,
                "The token made its keys and does not work with them: \(error.message) The next `kmsd init` of this home "
                    + "destroys them first.",
                cause: error.cause)
        }
        return made
    }

    /// Destroys objects of our instance that the manifest does not name: leftovers of an interrupted provisioning or
    /// migration, and public halves that the manifest holds by now.
    ///
    /// - Parameter instance: Needed only without a manifest; then *every* object of that instance is destroyed, so it
    ///   must be an instance whose manifest was never stored.
    /// - Returns: The labels of the destroyed objects.
    @discardableResult
    public func sweep(instance: String? = nil) async throws(HSMError) -> [String] {
        let manifest = manifest
        guard let instance = manifest?.instance ?? instance, TokenManifest.isInstance(instance) else {
            throw HSMError(.invalidArgument, "Without a manifest an instance id is needed: 16 bytes in lower-case hex.")
        }
        let kept = Set(manifest?.keys.values.map { $0.id + "/" + $0.label } ?? [])
        let moved = Set(manifest?.keys.values.filter { $0.publicKey != nil }.map { $0.id + "/" + $0.label } ?? [])
        return try await performSerialised { (session, _) throws(HSMError) in
            var swept: [String] = []
            for object in try Provisioner.objects(of: instance, session) {
                let id = try session.attribute(.id, of: object.handle).map(Hexadecimal.encode) ?? ""
                let name = id + "/" + object.label
                let objectClass = try session.number(.objectClass, of: object.handle)
                let isPublic = moved.contains(name) && objectClass == ObjectClass.publicKey.rawValue
                guard isPublic || !kept.contains(name) else { continue }
                try session.destroy(object.handle)
                swept.append(object.label)
            }
            return swept
        }
    }
}
