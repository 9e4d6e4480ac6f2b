import Token

extension ResidentAlgorithm {
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
