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
            // A new IV for every attempt: a failed one may still have used its IV.
            try SealedFormat.seal(
                plaintext, session: session, key: connection.key(role).hot, iv: nonces.next(), context: context)
        }
    }

    public func open(
        _ sealed: [UInt8], under role: KeyRole, context: [UInt8]
    ) async throws(HSMError) -> SharedSecret {
        try Self.checkSealing(role, context)
        guard sealed.count >= SealedFormat.overhead, sealed[0] == SealedFormat.version else {
            throw HSMError.notAuthentic
        }
        return try await perform { (session, connection) throws(HSMError) in
            try SealedFormat.open(sealed, session: session, key: connection.key(role).hot, context: context)
        }
    }

    public var sealingIdentity: String {
        guard let manifest, let root = manifest[.rootLock] else { return configuration.uri.description }
        var uri = TokenURI(serial: manifest.token.serial)
        uri.id = Hexadecimal.decode(root.id)
        return uri.description
    }

    private static func checkSealing(_ role: KeyRole, _ context: [UInt8]) throws(HSMError) {
        guard role.seals else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' does not seal.")
        }
        try SealedFormat.checkContext(context)
    }
}
