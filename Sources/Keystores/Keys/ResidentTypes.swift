import Token
import WorkingKeys

extension KeyType {
    /// What a token needs to hold a key of this type; nil if no token does.
    var residentAlgorithm: ResidentAlgorithm? {
        switch self {
        case .ed25519: .ed25519
        case .ecdsaP256DER, .ecdsaP256P1363: .p256
        case .ecdsaP384DER, .ecdsaP384P1363: .p384
        case .ecdsaP521DER, .ecdsaP521P1363: .p521
        case .ecdsaSecp256k1P1363: .secp256k1
        case .aes128GCM: .aes128
        case .aes256GCM, .aes256GCMNoPrefix: .aes256
        case .hmacSHA256Tag256: .hmacSHA256
        case .chaCha20Poly1305, .xChaCha20Poly1305: nil
        case .nistP256ECDHKW: .p256Agreement
        case .nistP384ECDHKW: .p384Agreement
        case .nistP521ECDHKW: .p521Agreement
        case .x25519ECDHKW, .bls12381G2: nil
        }
    }
}
