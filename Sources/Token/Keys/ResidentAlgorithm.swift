/// A kind of key that can live wrapped outside and be used only inside the token.
public enum ResidentAlgorithm: String, Codable, Sendable, CaseIterable {
    case p256 = "EC-P256"
    case p384 = "EC-P384"
    case p521 = "EC-P521"
    case secp256k1 = "EC-secp256k1"
    case ed25519 = "Ed25519"
    case aes128 = "AES-128"
    case aes256 = "AES-256"
    case hmacSHA256 = "HMAC-SHA256"
    /// Keys that agree on a secret and do nothing else.
    case p256Agreement = "ECDH-P256"
    case p384Agreement = "ECDH-P384"
    case p521Agreement = "ECDH-P521"

    /// Bytes of a symmetric key; 0 for key pairs.
    package var keyLength: Int {
        switch self {
        case .aes128: 16
        case .aes256, .hmacSHA256: 32
        case .p256, .p384, .p521, .secp256k1, .ed25519, .p256Agreement, .p384Agreement, .p521Agreement: 0
        }
    }

    /// Whether such a key agrees on a secret (ECDH).
    package var isAgreement: Bool {
        switch self {
        case .p256Agreement, .p384Agreement, .p521Agreement: true
        default: false
        }
    }

    package var isAES: Bool { self == .aes128 || self == .aes256 }
}
