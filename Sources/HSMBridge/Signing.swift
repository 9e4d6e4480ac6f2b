/// Signs with a key that never leaves its device.
public protocol Signing: Sendable {
    /// Signs SHA-256 of a message with a role's key.
    ///
    /// - Parameter message: For ``KeyRole/result`` an encoded ``ResultMessage``, for other roles anything but that.
    /// - Returns: r ‖ s, 64 bytes; on secp256k1 with the lower of the two values of s.
    /// - Throws: `.invalidArgument` if the role does not sign, or not this; `.keyMissing` if the token was provisioned
    ///   without the role; `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`.
    func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8]

    /// The public key that verifies a role's signatures.
    func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription
}

extension PKCS11Token: Signing {
    public func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8] {
        try role.checkSigning(message)
        return try await perform { (session, connection) throws(HSMError) in
            let key = try connection.key(role)
            let signature = try session.sign(.ecdsa, key: key.hot, session.sha256(message), length: 64)
            return key.kind == .ecSecp256k1 ? LowS.secp256k1(signature) : signature
        }
    }

    public func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription {
        guard role.signs else {
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
