public import LibCrypto

extension KeyType {
    enum Family { case signing, encryption, mac, agreement, multiMessage }

    var family: Family {
        if signingCurve != nil { return .signing }
        if agreementCurve != nil { return .agreement }
        if self == .bls12381G2 { return .multiMessage }
        return aead != nil ? .encryption : .mac
    }

    /// The curve of a signing key.
    public var signingCurve: SigningCurve? {
        switch self {
        case .ed25519: .ed25519
        case .ecdsaP256DER, .ecdsaP256P1363: .p256
        case .ecdsaP384DER, .ecdsaP384P1363: .p384
        case .ecdsaP521DER, .ecdsaP521P1363: .p521
        case .ecdsaSecp256k1P1363: .secp256k1
        default: nil
        }
    }

    /// The curve of a key agreement key.
    public var agreementCurve: AgreementCurve? {
        switch self {
        case .nistP256ECDHKW: .p256
        case .nistP384ECDHKW: .p384
        case .nistP521ECDHKW: .p521
        case .x25519ECDHKW: .x25519
        default: nil
        }
    }

    /// The form of an ECDSA key's signatures; nil for every other type, Ed25519 included.
    public var signatureEncoding: ECDSASignature.Encoding? {
        switch self {
        case .ecdsaP256DER, .ecdsaP384DER, .ecdsaP521DER: .der
        case .ecdsaP256P1363, .ecdsaP384P1363, .ecdsaP521P1363, .ecdsaSecp256k1P1363: .p1363
        default: nil
        }
    }

    /// The cipher of an encryption key.
    public var aead: AEADAlgorithm? {
        switch self {
        case .aes128GCM: .aes128GCM
        case .aes256GCM, .aes256GCMNoPrefix: .aes256GCM
        case .chaCha20Poly1305: .chaCha20Poly1305
        case .xChaCha20Poly1305: .xChaCha20Poly1305
        default: nil
        }
    }

    /// Bytes of the secret: a symmetric key, an Ed25519 seed or a scalar as wide as the group order.
    public var secretLength: Int {
        if let curve = signingCurve { return curve.privateKeyLength }
        if let curve = agreementCurve { return curve.fieldLength }
        return aead?.keyLength ?? 32
    }

    /// The byte that stands for the type in stored key material; never reused, never changed.
    var storedCode: UInt8 {
        switch self {
        case .ed25519: 0x01
        case .ecdsaP256DER: 0x02
        case .ecdsaP384DER: 0x03
        case .ecdsaP521DER: 0x04
        case .ecdsaP256P1363: 0x05
        case .ecdsaP384P1363: 0x06
        case .ecdsaP521P1363: 0x07
        case .ecdsaSecp256k1P1363: 0x08
        case .aes128GCM: 0x10
        case .aes256GCM: 0x11
        case .aes256GCMNoPrefix: 0x12
        case .chaCha20Poly1305: 0x13
        case .xChaCha20Poly1305: 0x14
        case .hmacSHA256Tag256: 0x20
        case .nistP256ECDHKW: 0x30
        case .nistP384ECDHKW: 0x31
        case .nistP521ECDHKW: 0x32
        case .x25519ECDHKW: 0x33
        case .bls12381G2: 0x40
        }
    }

    init?(storedCode: UInt8) {
        guard let type = KeyType.allCases.first(where: { $0.storedCode == storedCode }) else { return nil }
        self = type
    }
}
