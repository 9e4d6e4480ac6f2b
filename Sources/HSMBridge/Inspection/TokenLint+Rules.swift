/// The rules for one object. What is bad on a key of ours is often only careless on a stranger's.
extension TokenLint {
    typealias Finding = LintReport.Finding

    /// Who can read the value or take it away.
    static func protection(of object: ObjectSnapshot, isManaged: Bool) -> [Finding] {
        var findings: [Finding] = []
        if object.flags[.extractable] != false {
            let isGuarded = object.has(.sensitive) && object.has(.wrapWithTrusted)
            findings.append(
                isGuarded
                    ? .init(
                        isManaged ? .bad : .warning, "CKA_EXTRACTABLE",
                        "The key can leave the token wrapped under a trusted key.")
                    : .init(.bad, "CKA_EXTRACTABLE", "The key can leave the token wrapped under any key that wraps."))
        }
        if object.flags[.sensitive] != true {
            findings.append(.init(.bad, "CKA_SENSITIVE", "The key's value can be read by whoever is logged in."))
        }
        if object.flags[.private] != true {
            findings.append(
                .init(
                    .bad, "CKA_PRIVATE",
                    "The key is usable without login, and a soft token keeps it in clear text on disk."))
            if object.has(.trusted) {
                findings.append(
                    .init(
                        .bad, "CKA_TRUSTED",
                        "A trusted wrapping key in clear text on disk opens every key that ever left under it."))
            }
        }
        if isManaged {
            if object.flags[.neverExtractable] != true {
                findings.append(
                    .init(.bad, "CKA_NEVER_EXTRACTABLE", "Recorded as born in this token, but it was extractable once.")
                )
            }
            if object.flags[.alwaysSensitive] != true {
                findings.append(
                    .init(.bad, "CKA_ALWAYS_SENSITIVE", "Recorded as born in this token, but it was readable once."))
            }
            if object.flags[.local] != true {
                findings.append(
                    .init(.bad, "CKA_LOCAL", "Recorded as born in this token, but its value came from outside."))
            }
        }
        if object.flags[.modifiable] != false {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_MODIFIABLE",
                    "Whoever is logged in can give the key further uses."))
        }
        // SoftHSM shows an unrestricted key as an empty list.
        if object.allowedMechanisms?.isEmpty ?? true {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_ALLOWED_MECHANISMS",
                    "The key accepts every mechanism that its usage flags allow."))
        }
        return findings
    }

    /// What a wrapping key could be misused for.
    static func wrapping(by object: ObjectSnapshot, isManaged: Bool) -> [Finding] {
        var findings: [Finding] = []
        if object.has(.wrap), object.flags[.local] == false {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_WRAP",
                    "The key wraps but was not made here: whoever knows its value can open what it wraps."))
        }
        if object.has(.unwrap), !object.hasUnwrapTemplate {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_UNWRAP_TEMPLATE",
                    "The key unwraps to readable keys if it is asked to."))
        }
        return findings
    }

    /// Uses that one key must not join.
    static func conflicts(of object: ObjectSnapshot) -> [Finding] {
        var findings: [Finding] = []
        func check(_ first: AttributeType, _ second: AttributeType, _ message: String) {
            guard object.has(first), object.has(second) else { return }
            findings.append(.init(.bad, "\(name(first))+\(name(second))", message))
        }
        check(
            .wrap, .decrypt,
            "The key can wrap another key and then decrypt the result: every extractable key is readable.")
        check(
            .unwrap, .encrypt,
            "The key can encrypt a chosen value and then unwrap it: keys of known value can be planted.")
        check(.sign, .derive, "The key both signs and derives: what one use reveals serves the other.")
        return findings
    }

    /// What a key of ours does beyond the one use that its kind has.
    static func drift(of object: ObjectSnapshot, from record: TokenManifest.Key) -> [Finding] {
        let (uses, mechanism) = purpose(of: record.kind, isPublic: !object.isSecret)
        var findings = usage.filter { object.has($0) && !uses.contains($0) }.map { type in
            Finding(.bad, name(type), "A key for \(record.kind.rawValue) has no business with this use.")
        }
        if let allowed = object.allowedMechanisms, !allowed.isEmpty, allowed != [mechanism] {
            findings.append(
                .init(
                    .bad, "CKA_ALLOWED_MECHANISMS",
                    "A key for \(record.kind.rawValue) allows \(allowed.count) mechanisms, not just its own."))
        }
        return findings
    }

    private static func purpose(
        of kind: KeyKind, isPublic: Bool
    ) -> (uses: Set<AttributeType>, mechanism: MechanismType) {
        switch kind {
        case .aes256Seal: ([.encrypt, .decrypt], .aesGCM)
        case .aes256Wrap: ([.wrap, .unwrap], .aesKeyWrapPad)
        case .ecP256, .ecSecp256k1: (isPublic ? [.verify] : [.sign], .ecdsa)
        }
    }

    private static let usage: [AttributeType] = [.encrypt, .decrypt, .wrap, .unwrap, .sign, .verify, .derive]

    private static func name(_ type: AttributeType) -> String {
        switch type {
        case .encrypt: "CKA_ENCRYPT"
        case .decrypt: "CKA_DECRYPT"
        case .wrap: "CKA_WRAP"
        case .unwrap: "CKA_UNWRAP"
        case .sign: "CKA_SIGN"
        case .verify: "CKA_VERIFY"
        case .derive: "CKA_DERIVE"
        default: "0x" + String(type.rawValue, radix: 16)
        }
    }
}
