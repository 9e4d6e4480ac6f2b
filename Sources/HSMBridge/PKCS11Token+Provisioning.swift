import SecretMemory
import TextEncodings

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
        let nonces = nonces
        let supervisor = supervisor
        let made = try await performSerialised { (session, connection) throws(HSMError) in
            let provisioner = Provisioner(instance: instance, identity: connection.identity, nonces: nonces)
            let manifest = try provisioner.run(session)
            supervisor.adopt(manifest)
            supervisor.renew(generation: connection.generation)
            return manifest
        }
        try await waitUntilReady(timeout: configuration.callTimeout)
        return made
    }

    /// Destroys objects of our instance that the manifest does not name: leftovers of an interrupted provisioning or
    /// migration.
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
        return try await performSerialised { (session, _) throws(HSMError) in
            var swept: [String] = []
            for object in try Provisioner.objects(of: instance, session) {
                let id = try session.attribute(.id, of: object.handle).map(Hexadecimal.encode) ?? ""
                guard !kept.contains(id + "/" + object.label) else { continue }
                try session.destroy(object.handle)
                swept.append(object.label)
            }
            return swept
        }
    }
}

/// Makes the keys of one instance on a read-write session.
struct Provisioner: Sendable {
    let instance: String
    let identity: TokenIdentity
    let nonces: NonceSource

    func run(_ session: borrowing Session) throws(HSMError) -> TokenManifest {
        guard try Self.objects(of: instance, session).isEmpty else {
            throw HSMError(.alreadyProvisioned, "The token already holds objects of the instance \(instance).")
        }
        var manifest = TokenManifest(instance: instance, token: identity, keys: [:])
        do throws(HSMError) {
            for role in KeyRole.allCases { manifest[role] = try make(role, session) }
        } catch {
            for object in (try? Self.objects(of: instance, session)) ?? [] { try? session.destroy(object.handle) }
            throw error
        }
        return manifest
    }

    /// Makes the role's key, of the first of its kinds that the token makes.
    func make(_ role: KeyRole, _ session: borrowing Session) throws(HSMError) -> TokenManifest.Key {
        for kind in role.kinds.dropLast() {
            do throws(HSMError) {
                return try make(role, kind, session)
            } catch {
                // Only what the token says it cannot do: a token that errs must not get a weaker key for it.
                guard error.code == .mechanismUnsupported else { throw error }
            }
        }
        return try make(role, role.kinds[role.kinds.count - 1], session)
    }

    private func make(
        _ role: KeyRole, _ kind: KeyKind, _ session: borrowing Session
    ) throws(HSMError) -> TokenManifest.Key {
        let id = SystemRandom.bytes(16)
        let label = TokenManifest.label(instance: instance, role: role)
        var record = TokenManifest.Key(
            id: Hexadecimal.encode(id), label: label, kind: kind, fingerprint: "", sentinel: nil)
        if let curve = kind.curve {
            let pair = try Self.patiently { () throws(HSMError) in
                try session.generateKeyPair(
                    .ecKeyPairGeneration, publicKey: .signingPublicKey(curve, id: id, label: label),
                    privateKey: .signingPrivateKey(id: id, label: label))
            }
            record.fingerprint = try Connector.describe(pair.publicKey, curve: curve, session).fingerprint
        } else {
            let key = try Self.patiently { () throws(HSMError) in
                try session.generateKey(.aesKeyGeneration, .secretKey(kind, id: id, label: label))
            }
            record.fingerprint = try session.attribute(.checkValue, of: key).map(Hexadecimal.encode) ?? ""
            guard kind == .aes256Seal else { return record }
            let context = TokenManifest.sentinelContext(instance: instance, role: role)
            record.sentinel = Hexadecimal.encode(
                try SealedFormat.seal(
                    try Self.randomSecret(), session: session, key: key, iv: nonces.next(), context: context))
        }
        return record
    }

    private static func randomSecret() throws(HSMError) -> SharedSecret {
        do {
            return SharedSecret(try SecretBytes.random(count: 32))
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }

    /// Creating a token object fails now and then in SoftHSM while others are created; three attempts.
    private static func patiently<R>(_ body: () throws(HSMError) -> R) throws(HSMError) -> R {
        for _ in 0..<2 {
            do throws(HSMError) {
                return try body()
            } catch {
                guard case .pkcs11(let value, _)? = error.cause, value.recovery == .inputOrDevice else { throw error }
            }
        }
        return try body()
    }

    /// Every object of an instance, by the prefix of its label.
    static func objects(
        of instance: String, _ session: borrowing Session
    ) throws(HSMError) -> [(handle: ObjectHandle, label: String)] {
        let prefix = TokenManifest.labelPrefix(instance: instance)
        var found: [(handle: ObjectHandle, label: String)] = []
        for handle in try session.find([.flag(.token, true)]) {
            guard let label = try session.text(.label, of: handle), label.hasPrefix(prefix) else { continue }
            found.append((handle, label))
        }
        return found
    }
}
