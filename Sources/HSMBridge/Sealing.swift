public import SecretMemory
import TextEncodings

/// Seals small secrets under a key that never leaves its device.
public protocol Sealing: Sendable {
    /// Encrypts and authenticates a secret.
    ///
    /// - Parameters:
    ///   - role: A sealing role.
    ///   - context: 1 to 4096 bytes, authenticated but not stored; the same bytes are needed to open.
    /// - Returns: version(1) ‖ iv(12) ‖ ciphertext(n) ‖ tag(16).
    /// - Throws: `.invalidArgument`, `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`, `.keyMissing`.
    func seal(_ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]) async throws(HSMError) -> [UInt8]

    /// Opens what ``seal(_:under:context:)`` made.
    ///
    /// - Throws: `.authenticationFailed` for whatever is wrong with the input, besides what `seal` throws.
    func open(_ sealed: [UInt8], under role: KeyRole, context: [UInt8]) async throws(HSMError) -> SharedSecret

    /// Stable name of the device and its root key; what was sealed by one identity opens only there.
    var sealingIdentity: String { get }
}

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
            throw RecoveryPolicy.notAuthentic
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
