/// Grades token objects by the rules that tokens themselves do not enforce. Pure.
///
/// Sources: PKCS #11 2.40 section 4; Clulow, "On the Security of PKCS #11" (wrap and decrypt); Bortolozzo and others,
/// "Attacking and Fixing PKCS #11 Security Tokens" (re-import, conflicting uses).
enum TokenLint {
    static func report(
        _ snapshots: [ObjectSnapshot], token: TokenIdentity, manifest: TokenManifest?
    ) -> LintReport {
        let objects = snapshots.map { snapshot in
            LintReport.Object(
                objectClass: snapshot.className, label: snapshot.label, id: Hex.encode(snapshot.id),
                isManaged: isManaged(snapshot, manifest),
                findings: findings(of: snapshot, manifest: manifest)
                    + duplicates(of: snapshot, among: snapshots))
        }
        return LintReport(token: token, objects: objects, findings: missing(snapshots, manifest))
    }

    static func isManaged(_ snapshot: ObjectSnapshot, _ manifest: TokenManifest?) -> Bool {
        manifest?.keys.values.contains { $0.id == Hex.encode(snapshot.id) && $0.label == snapshot.label } ?? false
    }

    static func findings(of object: ObjectSnapshot, manifest: TokenManifest?) -> [LintReport.Finding] {
        var findings: [LintReport.Finding] = []
        let managed = isManaged(object, manifest)
        func add(_ grade: LintReport.Grade, _ attribute: String, _ message: String) {
            findings.append(LintReport.Finding(grade: grade, attribute: attribute, message: message))
        }
        if object.isSecret {
            if object.flags[.extractable] != false {
                let guarded = object.has(.sensitive) && object.has(.wrapWithTrusted)
                add(
                    managed || !guarded ? .bad : .warning, "CKA_EXTRACTABLE",
                    guarded
                        ? "The key can leave the token wrapped under a trusted key."
                        : "The key can leave the token wrapped under any key that wraps.")
            }
            if object.flags[.sensitive] != true {
                add(.bad, "CKA_SENSITIVE", "The key's value can be read by whoever is logged in.")
            }
            if object.flags[.private] != true {
                add(
                    .bad, "CKA_PRIVATE",
                    object.has(.trusted)
                        ? "A trusted key that is not private: a soft token keeps it in clear text on disk."
                        : "The key is usable without login, and a soft token keeps it in clear text on disk.")
            }
            if managed, object.flags[.neverExtractable] != true || object.flags[.alwaysSensitive] != true {
                add(
                    .bad, "CKA_NEVER_EXTRACTABLE",
                    "The manifest says that the key was born in this token, but it was extractable or readable once.")
            }
            if object.flags[.modifiable] != false {
                add(
                    managed ? .bad : .warning, "CKA_MODIFIABLE",
                    "Whoever is logged in can give the key further uses.")
            }
            // SoftHSM shows an unrestricted key as an empty list.
            if object.allowedMechanisms?.isEmpty ?? true {
                add(
                    managed ? .bad : .warning, "CKA_ALLOWED_MECHANISMS",
                    "The key accepts every mechanism that its usage flags allow.")
            }
        }
        for (first, second, names, message) in conflicts where object.has(first) && object.has(second) {
            add(.bad, names, message)
        }
        if let manifest, !managed, object.label.hasPrefix(TokenManifest.labelPrefix(instance: manifest.instance)) {
            add(.bad, "CKA_LABEL", "The label is one of this daemon's, but its manifest does not know the key.")
        }
        return findings
    }

    /// Uses that one key must not join.
    private static let conflicts: [(AttributeType, AttributeType, String, String)] = [
        (
            .wrap, .decrypt, "CKA_WRAP+CKA_DECRYPT",
            "The key can wrap another key and then decrypt the result: every extractable key is readable."
        ),
        (
            .unwrap, .encrypt, "CKA_UNWRAP+CKA_ENCRYPT",
            "The key can encrypt a chosen value and then unwrap it: keys of known value can be planted."
        ),
        (
            .sign, .derive, "CKA_SIGN+CKA_DERIVE",
            "The key both signs and derives: what one use reveals serves the other."
        ),
    ]

    /// Two objects of one class with one CKA_ID: a search may find the wrong one.
    private static func duplicates(
        of object: ObjectSnapshot, among all: [ObjectSnapshot]
    ) -> [LintReport.Finding] {
        guard !object.id.isEmpty,
            all.filter({ $0.objectClass == object.objectClass && $0.id == object.id }).count > 1
        else { return [] }
        return [
            LintReport.Finding(
                grade: .bad, attribute: "CKA_ID", message: "Another object of the same class has the same CKA_ID.")
        ]
    }

    private static func missing(_ all: [ObjectSnapshot], _ manifest: TokenManifest?) -> [LintReport.Finding] {
        guard let manifest else { return [] }
        return manifest.keys.values.sorted { $0.label < $1.label }.compactMap { key in
            let isThere = all.contains { $0.isSecret && Hex.encode($0.id) == key.id && $0.label == key.label }
            return isThere
                ? nil
                : LintReport.Finding(
                    grade: .bad, attribute: "CKA_ID", message: "The manifest names '\(key.label)', which is not there.")
        }
    }
}
