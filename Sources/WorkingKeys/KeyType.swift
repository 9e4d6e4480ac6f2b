/// The kinds of working keys; the raw value is the `key_type` of the keystore API.
public enum KeyType: String, CaseIterable, Codable, Sendable {
    case ed25519 = "ED25519"
    case ecdsaP256DER = "ECDSAP256DER"
    case ecdsaP384DER = "ECDSAP384DER"
    case ecdsaP521DER = "ECDSAP521DER"
    case ecdsaP256P1363 = "ECDSAP256IEEEP1363"
    case ecdsaP384P1363 = "ECDSAP384IEEEP1363"
    case ecdsaP521P1363 = "ECDSAP521IEEEP1363"
    case ecdsaSecp256k1P1363 = "ECDSASecp256k1IEEEP1363"
    case aes128GCM = "AES128GCM"
    case aes256GCM = "AES256GCM"
    case aes256GCMNoPrefix = "AES256GCMNoPrefix"
    case chaCha20Poly1305 = "ChaCha20Poly1305"
    case xChaCha20Poly1305 = "XChaCha20Poly1305"
    case hmacSHA256Tag256 = "HMACSHA256Tag256"
    case nistP256ECDHKW = "NISTP256ECDHKW"
    case nistP384ECDHKW = "NISTP384ECDHKW"
    case nistP521ECDHKW = "NISTP521ECDHKW"
    case x25519ECDHKW = "X25519ECDHKW"
    case bls12381G2 = "BLS12381G2"

    /// Whether the key has a public half, and its identifier is a thumbprint.
    public var isAsymmetric: Bool {
        switch family {
        case .signing, .agreement, .multiMessage: true
        case .encryption, .mac: false
        }
    }

    /// Whether the import route takes it, as PKCS#8.
    public var isImportable: Bool { family == .signing && self != .ecdsaSecp256k1P1363 }

    /// Whether new keys carry an output prefix: 0x01 and a 4-byte id that names the version (see ``OutputPrefix``).
    public var hasOutputPrefix: Bool {
        switch self {
        case .aes128GCM, .aes256GCM, .chaCha20Poly1305, .xChaCha20Poly1305, .hmacSHA256Tag256, .ecdsaSecp256k1P1363:
            true
        default: false
        }
    }

    /// Most versions a key of the type may have; nil for no bound of the type's own.
    ///
    /// Verification tries one version after the other, and for BBS+ each try costs milliseconds.
    public var maximumVersions: Int? { self == .bls12381G2 ? 16 : nil }

    /// What the key can be asked to do.
    public var operations: Set<KeyOperation> {
        switch family {
        case .signing: self == .ed25519 ? [.sign, .verify, .easy, .easyOpen, .sealOpen] : [.sign, .verify]
        case .agreement: [.wrap, .unwrap]
        case .encryption: [.encrypt, .decrypt]
        case .mac: [.computeMAC, .verifyMAC]
        case .multiMessage: [.signMulti, .verifyMulti, .deriveProof, .verifyProof]
        }
    }
}

/// What a key can be asked to do; the raw value is the last part of the route.
public enum KeyOperation: String, CaseIterable, Codable, Sendable {
    case sign, verify, encrypt, decrypt
    case computeMAC = "computemac"
    case verifyMAC = "verifymac"
    case wrap, unwrap, easy
    case easyOpen = "easyopen"
    case sealOpen = "sealopen"
    case signMulti = "signmulti"
    case verifyMulti = "verifymulti"
    case deriveProof = "deriveproof"
    case verifyProof = "verifyproof"
}
