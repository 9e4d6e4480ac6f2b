import CP11Kit
import Token

/// Keys that protect nothing whoever holds them, and names that other programs trip over.
extension TokenLint {
    /// Whether a key is of a kind and size that can be broken.
    ///
    /// NIST SP 800-131A revision 2: DES is disallowed, and so are RSA and finite fields below 2048 bits and curves below
    /// 224. RSA of 829 bits was factored in public (Boudot and others, 2020).
    static func strength(of object: ObjectSnapshot) -> [Finding] {
        guard object.isKey, let type = object.keyType else { return [] }
        if let cipher = brokenCiphers[type] {
            return [.init(.bad, "CKA_KEY_TYPE", "\(cipher) is broken: its keys protect nothing.")]
        }
        if let cipher = agedCiphers[type] {
            return [.init(.warning, "CKA_KEY_TYPE", "\(cipher) has blocks of 64 bits and is disallowed by now.")]
        }
        switch KeyType(rawValue: type) {
        case .rsa:
            guard let bits = object.bits, bits < 2048 else { return [] }
            return [
                .init(
                    bits < 1024 ? .bad : .warning, "CKA_MODULUS",
                    "An RSA key of \(bits) bits can be factored: "
                        + (bits < 1024 ? "by anybody." : "by whoever can afford it. Take 2048 or more."))
            ]
        case .dsa, .dh, .x942DH:
            guard let bits = object.bits, bits < 2048 else { return [] }
            return [
                .init(
                    bits < 1024 ? .bad : .warning, "CKA_PRIME",
                    "Logarithms in a field of \(bits) bits can be taken. Take 2048 or more.")
            ]
        case .ec:
            guard let curve = object.curve, let bits = WeakCurves.bits(of: curve) else { return [] }
            return [.init(.bad, "CKA_EC_PARAMS", "A curve of \(bits) bits can be broken. Take P-256 or larger.")]
        case .genericSecret,
            _ where isMAC(type):
            guard let bits = object.bits, bits < 112 else { return [] }
            return [.init(.bad, "CKA_VALUE_LEN", "A secret of \(bits) bits can be guessed.")]
        default: return []
        }
    }

    /// Names that keep other programs from finding this key, or all keys. Certificates and data may go without.
    static func naming(of object: ObjectSnapshot) -> [Finding] {
        guard object.isKey else { return [] }
        var findings: [Finding] = []
        if object.id.isEmpty, object.isRead(.id) {
            findings.append(
                .init(
                    .warning, "CKA_ID",
                    "The key has no CKA_ID: programs that pair keys by it take another one, or list none at all."))
        }
        if object.label.isEmpty, object.isRead(.label), object.objectClass == ObjectClass.secretKey.rawValue {
            findings.append(.init(.warning, "CKA_LABEL", "The key has no label: Java does not see it."))
        }
        return findings
    }

    /// Java's key store goes by the labels of secret keys and refuses a token on which two have one.
    static let sameLabel = LintReport.Finding(
        .warning, "CKA_LABEL", "Another secret key has the same label: Java then refuses the whole token.")

    private static let brokenCiphers: [UInt: String] = [
        UInt(CKK_DES): "DES", UInt(CKK_RC2): "RC2", UInt(CKK_RC4): "RC4", UInt(CKK_RC5): "RC5",
        UInt(CKK_CDMF): "CDMF", UInt(CKK_CAST): "CAST", UInt(CKK_CAST3): "CAST3", UInt(CKK_SKIPJACK): "SKIPJACK",
        UInt(CKK_JUNIPER): "JUNIPER", UInt(CKK_BATON): "BATON",
    ]
    private static let agedCiphers: [UInt: String] = [
        UInt(CKK_DES2): "Triple DES with two keys", UInt(CKK_DES3): "Triple DES", UInt(CKK_CAST128): "CAST-128",
        UInt(CKK_IDEA): "IDEA", UInt(CKK_BLOWFISH): "Blowfish",
    ]

    /// Whether a key is a secret for MACs or derivation under a type of its own: as long as its maker made it.
    static func isMAC(_ type: UInt) -> Bool {
        (UInt(CKK_MD5_HMAC)...UInt(CKK_SHA224_HMAC)).contains(type) || laterMACs.contains { $0.contains(type) }
    }

    /// CKK_SHA3_224_HMAC to CKK_BLAKE2B_512_HMAC, CKK_HKDF to CKK_SHA512_T_HMAC of PKCS #11 3.0; absent from the 2.40 header.
    private static let laterMACs: [ClosedRange<UInt>] = [0x36...0x3d, 0x42...0x45]
}
