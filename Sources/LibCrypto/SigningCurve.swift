/// Curves that signing keys live on; the raw value is the curve's usual name.
public enum SigningCurve: String, Sendable, CaseIterable {
    case ed25519 = "Ed25519"
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"
    case secp256k1

    /// Bytes of the raw private key: an Ed25519 seed (RFC 8032) or a big-endian scalar as wide as the group order.
    public var privateKeyLength: Int { group?.fieldLength ?? 32 }

    /// Bytes of the raw public key: 32 for Ed25519, else 0x04 ‖ X ‖ Y.
    public var publicKeyLength: Int { group.map { 1 + 2 * $0.fieldLength } ?? 32 }

    /// Bytes of a signature as fixed-width numbers: 64 for Ed25519, else r ‖ s.
    public var fixedSignatureLength: Int { 2 * privateKeyLength }

    /// The Weierstrass group, or nil for Ed25519.
    var group: NamedGroup? {
        switch self {
        case .ed25519: nil
        case .p256: .p256
        case .p384: .p384
        case .p521: .p521
        case .secp256k1: .secp256k1
        }
    }

    /// The hash that ECDSA of this service uses on the curve; nil for Ed25519, which hashes by itself.
    var digest: Digest.Function? {
        switch self {
        case .ed25519: nil
        case .p256, .secp256k1: .sha256
        case .p384: .sha384
        case .p521: .sha512
        }
    }

    /// Hashes a message as ECDSA on this curve does: SHA-256 (P-256, secp256k1), SHA-384 (P-384), SHA-512 (P-521).
    ///
    /// - Throws: `.invalidInput` for Ed25519, which signs messages, not digests.
    public func digest(of message: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        guard let digest else { throw LibCryptoError(.invalidInput, "Ed25519 signs messages, not digests.") }
        return try Digest.hash(message, digest)
    }
}
