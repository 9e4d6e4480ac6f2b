import Token

/// The rules for one object. What is bad on a key of ours is often only careless on a stranger's.
extension TokenLint {
    typealias Finding = LintReport.Finding

    /// Who can read the value or take it away.
    static func protection(of object: ObjectSnapshot, _ record: TokenManifest.Key?) -> [Finding] {
        let isManaged = record != nil
        var findings: [Finding] = []
        if object.flags[.extractable] != false, object.isRead(.extractable) {
            let isGuarded = object.has(.sensitive) && object.has(.wrapWithTrusted)
            findings.append(
                isGuarded
                    ? .init(
                        isManaged ? .bad : .warning, "CKA_EXTRACTABLE",
                        "The key can leave the token wrapped under a trusted key.")
                    : .init(.bad, "CKA_EXTRACTABLE", "The key can leave the token wrapped under any key that wraps."))
        }
        // Either attribute alone keeps the value inside (PKCS #11 2.40 base, 4.9.1 and 4.10.1).
        if object.flags[.sensitive] != true, object.isRead(.sensitive) {
            if object.flags[.extractable] != false {
                findings.append(.init(.bad, "CKA_SENSITIVE", "The key's value can be read by whoever is logged in."))
            } else if isManaged {
                findings.append(
                    .init(.bad, "CKA_SENSITIVE", "The key was made sensitive; only CKA_EXTRACTABLE keeps it inside.")
                )
            }
        }
        if object.flags[.private] != true, object.isRead(.private) {
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
        if object.flags[.modifiable] != false, object.isRead(.modifiable), dispensed(.modifiable, record) == nil {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_MODIFIABLE",
                    "Whoever is logged in can give the key further uses."))
        }
        // SoftHSM shows an unrestricted key as an empty list.
        if object.allowedMechanisms?.isEmpty ?? true, object.isRead(.allowedMechanisms),
            dispensed(.allowedMechanisms, record) == nil
        {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_ALLOWED_MECHANISMS",
                    "The key accepts every mechanism that its usage flags allow."))
        }
        return findings
    }

    /// What the token says of the past of a key that is recorded as born in it.
    ///
    /// An attribute that the module sets on no key accuses nobody.
    static func history(of object: ObjectSnapshot, _ history: KeyHistory) -> [Finding] {
        let claims: [(AttributeType, String)] = [
            (.neverExtractable, "it was extractable once"), (.alwaysSensitive, "it was readable once"),
            (.local, "its value came from outside"),
        ]
        return claims.compactMap { type, accusation in
            guard object.flags[type] != true, object.isRead(type) else { return nil }
            if history.tells(type) {
                return Finding(.bad, type.name, "Recorded as born in this token, but \(accusation).")
            }
            guard !history.isKnown else { return nil }
            return Finding(
                .warning, type.name,
                "Recorded as born in this token; it says that \(accusation), or its module says so of every key.")
        }
    }

    /// What `kmsd init` was told to do without, and what nobody could read.
    static func reservations(about object: ObjectSnapshot, _ record: TokenManifest.Key?) -> [Finding] {
        let dispensed = (record?.without ?? []).filter { _ in object.isSecret }.map { name in
            Finding(
                .warning, name,
                "The key was made without it, as `kmsd init --without \(name)` allowed: "
                    + (DispensableAttribute(rawValue: name)?.consequence ?? "what that costs is not known here") + ".")
        }
        return dispensed
            + object.unread.map {
                Finding(.warning, $0.type.name, "It could not be read (\($0.answer)), so nothing is said of it.")
            }
    }

    /// The record's own word that the key was made without an attribute.
    private static func dispensed(_ attribute: DispensableAttribute, _ record: TokenManifest.Key?) -> String? {
        record?.without?.first { $0 == attribute.rawValue }
    }

    /// What a wrapping key could be misused for.
    static func wrapping(
        by object: ObjectSnapshot, _ record: TokenManifest.Key?, _ history: KeyHistory
    ) -> [Finding] {
        let isManaged = record != nil
        var findings: [Finding] = []
        if object.has(.wrap), object.flags[.local] == false, history.tells(.local) {
            findings.append(
                .init(
                    isManaged ? .bad : .warning, "CKA_WRAP",
                    "The key wraps but was not made here: whoever knows its value can open what it wraps."))
        }
        if object.has(.unwrap), !object.hasUnwrapTemplate, object.isRead(.unwrapTemplate),
            dispensed(.unwrapTemplate, record) == nil
        {
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
            findings.append(.init(.bad, "\(first.name)+\(second.name)", message))
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
            Finding(.bad, type.name, "A key for \(record.kind.rawValue) has no business with this use.")
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
        case .ecdhSeal: ([.derive], .ecdh1Derive)
        case .rsaSealSHA256, .rsaSealSHA1: ([.decrypt], .rsaOAEP)
        case .ecP256, .ecSecp256k1: (isPublic ? [.verify] : [.sign], .ecdsa)
        }
    }

    private static let usage: [AttributeType] = [.encrypt, .decrypt, .wrap, .unwrap, .sign, .verify, .derive]
}
