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

    /// The curve of an algorithm with a key pair.
    var curve: EllipticCurve? {
        switch self {
        case .p256, .p256Agreement: .p256
        case .p384, .p384Agreement: .p384
        case .p521, .p521Agreement: .p521
        case .secp256k1: .secp256k1
        case .ed25519: .ed25519
        case .aes128, .aes256, .hmacSHA256: nil
        }
    }

    /// Bytes of a symmetric key; 0 for key pairs.
    var keyLength: Int {
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

    var isAES: Bool { self == .aes128 || self == .aes256 }

    /// The only mechanism that the token may run with such a key.
    var mechanism: MechanismType {
        switch self {
        case .p256, .p384, .p521, .secp256k1: .ecdsa
        case .p256Agreement, .p384Agreement, .p521Agreement: .ecdh1Derive
        case .ed25519: .eddsa
        case .aes128, .aes256: .aesGCM
        case .hmacSHA256: .sha256HMAC
        }
    }

    var keyGeneration: MechanismType {
        switch self {
        case .p256, .p384, .p521, .secp256k1, .p256Agreement, .p384Agreement, .p521Agreement: .ecKeyPairGeneration
        case .ed25519: .edwardsKeyPairGeneration
        case .aes128, .aes256: .aesKeyGeneration
        case .hmacSHA256: .genericSecretKeyGeneration
        }
    }

    var keyType: KeyType {
        switch self {
        case .p256, .p384, .p521, .secp256k1, .p256Agreement, .p384Agreement, .p521Agreement: .ec
        case .ed25519: .edwards
        case .aes128, .aes256: .aes
        case .hmacSHA256: .genericSecret
        }
    }

    /// What the key may do, and nothing else.
    var usage: [Attribute] {
        if isAgreement { return [.flag(.derive, true), .flag(.sign, false), .flag(.unwrap, false)] }
        return isAES ? [.flag(.encrypt, true), .flag(.decrypt, true)] : [.flag(.sign, true)]
    }
}
