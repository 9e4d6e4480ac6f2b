import Encodings
public import SecretMemory
public import Token

extension PKCS11Token: Sealing {
    public func seal(
        _ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]
    ) async throws(HSMError) -> [UInt8] {
        try Self.checkSealing(role, context)
        let nonces = nonces
        return try await perform { (session, connection) throws(HSMError) in
            if let sealing = try connection.key(role).sealing { return try sealing.seal(plaintext, context: context) }
            // A new IV for every attempt: a failed one may still have used its IV.
            return try SealedFormat.seal(
                plaintext, session: session, key: connection.key(role).hot, iv: nonces.next(), context: context)
        }
    }

    public func open(
        _ sealed: [UInt8], under role: KeyRole, context: [UInt8]
    ) async throws(HSMError) -> SharedSecret {
        try Self.checkSealing(role, context)
        guard sealed.count >= SealedFormat.overhead else { throw HSMError.notAuthentic }
        return try await perform { (session, connection) throws(HSMError) in
            let key = try connection.key(role)
            if let sealing = key.sealing {
                return try sealing.open(sealed, session: session, key: key.hot, context: context)
            }
            return try SealedFormat.open(sealed, session: session, key: key.hot, context: context)
        }
    }

    /// For a pair the URI says so, and ends in the kind, which names the hash of RSA-OAEP.
    public var sealingIdentity: String {
        guard let manifest, let root = manifest[.rootLock] else { return configuration.uri.description }
        var uri = TokenURI(serial: manifest.token.serial)
        uri.id = Hexadecimal.decode(root.id)
        guard root.kind.sealsToPublicKey else { return uri.description }
        uri.type = "private"
        return "\(uri);x-kmsd-lock=\(root.kind.rawValue)"
    }

    private static func checkSealing(_ role: KeyRole, _ context: [UInt8]) throws(HSMError) {
        guard role.seals else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' does not seal.")
        }
        try SealedFormat.checkContext(context)
    }
}
