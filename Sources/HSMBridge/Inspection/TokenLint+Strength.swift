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
            guard let curve = object.curve, let bits = weakCurves[curve] else { return [] }
            return [.init(.bad, "CKA_EC_PARAMS", "A curve of \(bits) bits can be broken. Take P-256 or larger.")]
        case .genericSecret:
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

    /// Object identifiers of curves below 224 bits: SEC 2 (1.3.132.0.n) and ANSI X9.62 (1.2.840.10045.3.1.n), brainpool.
    private static let weakCurves: [[UInt8]: Int] = {
        var curves: [[UInt8]: Int] = [:]
        let sec: [(UInt8, Int)] = [
            (6, 112), (7, 112), (28, 128), (29, 128), (8, 160), (9, 160), (30, 160), (31, 192), (4, 113), (5, 113),
            (22, 131), (23, 131), (1, 163), (2, 163), (15, 163), (24, 193), (25, 193),
        ]
        for (arc, bits) in sec { curves[[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, arc]] = bits }
        for arc in 1...3 as ClosedRange<UInt8> {
            curves[[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, arc]] = 192
        }
        for (arc, bits) in [(1, 160), (2, 160), (3, 192), (4, 192)] as [(UInt8, Int)] {
            curves[[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, arc]] = bits
        }
        return curves
    }()
}
