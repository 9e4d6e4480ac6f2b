internal import LibCrypto

/// Signs root capabilities, each with a key of its own that is forgotten afterwards.
public enum RootIssuer {
    /// - Parameter created: RFC 3339.
    /// - Throws: ``CapabilityError`` for members that are no absolute IRIs, or what the generator of keys throws.
    public static func sign(_ root: Capability, created: String) throws -> Capability {
        let key = try SigningKey.generate(.ed25519)
        guard let method = DIDKey(publicKey: key.publicKey) else {
            preconditionFailure("an Ed25519 public key has 32 bytes")
        }
        return try CapabilityProofs.signed(
            root, verificationMethod: method, created: created, nonce: Random.bytes(64)
        ) { try key.sign($0) }
    }
}
