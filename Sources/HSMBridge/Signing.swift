/// Signs with a key that never leaves its device.
public protocol Signing: Sendable {
    /// Signs SHA-256 of a message with a role's P-256 key.
    ///
    /// - Returns: r ‖ s, 64 bytes.
    /// - Throws: `.invalidArgument` if the role does not sign; `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`.
    func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8]

    /// The public key that verifies a role's signatures.
    func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription
}

extension PKCS11Token: Signing {
    public func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8] {
        guard role.kind == .ecP256 else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' does not sign.")
        }
        return try await perform { (session, connection) throws(HSMError) in
            let key = try connection.key(role)
            return try session.sign(.ecdsa, key: key.hot, session.sha256(message), length: 64)
        }
    }

    public func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription {
        guard role.kind == .ecP256 else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' has no public key.")
        }
        return try await perform { (_, connection) throws(HSMError) in
            guard let publicKey = try connection.key(role).publicKey else {
                throw HSMError(.keyMissing, "The token shows no public key for '\(role.rawValue)'.")
            }
            return publicKey
        }
    }
}
