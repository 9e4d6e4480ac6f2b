import Token

extension KeyKind {
    /// The curve of a key pair.
    var curve: EllipticCurve? {
        switch self {
        case .aes256Seal, .aes256Wrap, .rsaSealSHA256, .rsaSealSHA1: nil
        case .ecP256, .ecdhSeal: .p256
        case .ecSecp256k1: .secp256k1
        }
    }
}
