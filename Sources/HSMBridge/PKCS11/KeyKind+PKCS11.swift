import Token

extension KeyKind {
    /// The curve of a key pair.
    var curve: EllipticCurve? {
        switch self {
        case .aes256Seal, .aes256Wrap: nil
        case .ecP256: .p256
        case .ecSecp256k1: .secp256k1
        }
    }
}
