/// A key that only the token can use: wrapped under the token's resident wrapping key, stored anywhere.
///
/// The wrapping detects damage, and the public key is checked against the private one at first use. Nothing here says
/// which record the blob belongs to: whoever stores it binds it there.
public struct ResidentKeyBlob: Codable, Hashable, Sendable {
    /// 16 random bytes.
    public var identifier: [UInt8]
    public var algorithm: ResidentAlgorithm
    /// AES key wrap with padding (RFC 5649) of the key (PKCS #8 for key pairs).
    public var wrapped: [UInt8]
    /// 04 ‖ X ‖ Y, or 32 bytes for Ed25519; nil for symmetric keys.
    public var publicKey: [UInt8]?

    public init(identifier: [UInt8], algorithm: ResidentAlgorithm, wrapped: [UInt8], publicKey: [UInt8]?) {
        self.identifier = identifier
        self.algorithm = algorithm
        self.wrapped = wrapped
        self.publicKey = publicKey
    }
}
