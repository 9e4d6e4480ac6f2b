import Encodings
import Token

/// Grades token objects by the rules that tokens themselves do not enforce. Pure.
///
/// Sources: PKCS #11 2.40 section 4; Clulow, "On the Security of PKCS #11" (wrap and decrypt); Bortolozzo and others,
/// "Attacking and Fixing PKCS #11 Security Tokens" (re-import, conflicting uses).
enum TokenLint {
    static func report(
        _ snapshots: [ObjectSnapshot], token: TokenIdentity, manifest: TokenManifest?, history: KeyHistory = .told
    ) -> LintReport {
        var counts: [Identifier: Int] = [:]
        var labels: [String: Int] = [:]  // exact: counted for the report only.
        for snapshot in snapshots {
            counts[Identifier(snapshot), default: 0] += 1
            if snapshot.objectClass == ObjectClass.secretKey.rawValue { labels[snapshot.label, default: 0] += 1 }
        }
        let objects = snapshots.map { snapshot in
            let isDuplicate = !snapshot.id.isEmpty && counts[Identifier(snapshot), default: 0] > 1
            let isNamesake =
                snapshot.objectClass == ObjectClass.secretKey.rawValue && !snapshot.label.isEmpty
                && labels[snapshot.label, default: 0] > 1
            return LintReport.Object(
                objectClass: snapshot.className, label: snapshot.label, id: Hexadecimal.encode(snapshot.id),
                isManaged: record(of: snapshot, manifest) != nil,
                findings: findings(of: snapshot, manifest: manifest, history: history)
                    + (isDuplicate ? [duplicate] : []) + (isNamesake ? [sameLabel] : []))
        }
        // A token lists its objects in any order; two reports of one state must be equal.
        let sorted = objects.sorted { ($0.label, $0.objectClass, $0.id) < ($1.label, $1.objectClass, $1.id) }
        return LintReport(token: token, objects: sorted, findings: missing(snapshots, manifest) + unproved(manifest))
    }

    /// The manifest's entry for an object: identifier and label must both be its.
    static func record(of snapshot: ObjectSnapshot, _ manifest: TokenManifest?) -> TokenManifest.Key? {
        manifest?.keys.values.first { $0.id == Hexadecimal.encode(snapshot.id) && $0.label.isExactly(snapshot.label) }
    }

    static func findings(
        of object: ObjectSnapshot, manifest: TokenManifest?, history: KeyHistory = .told
    ) -> [LintReport.Finding] {
        let record = record(of: object, manifest)
        var findings: [LintReport.Finding] = []
        if object.isSecret {
            findings += protection(of: object, record)
            if record != nil { findings += Self.history(of: object, history) }
            findings += wrapping(by: object, record, history)
        }
        findings += conflicts(of: object) + strength(of: object) + naming(of: object)
        findings += reservations(about: object, record)
        if let record { findings += drift(of: object, from: record) }
        if let manifest, record == nil,
            object.label.startsExactly(with: TokenManifest.labelPrefix(instance: manifest.instance))
        {
            findings.append(
                .init(.bad, "CKA_LABEL", "The label is one of this daemon's, but its manifest does not know the key."))
        }
        return findings
    }

    // MARK: The token as a whole

    /// What a search by class and CKA_ID goes by.
    private struct Identifier: Hashable {
        let objectClass: UInt
        let id: [UInt8]

        init(_ snapshot: ObjectSnapshot) {
            objectClass = snapshot.objectClass
            id = snapshot.id
        }
    }

    private static let duplicate = LintReport.Finding(
        .bad, "CKA_ID", "Another object of the same class has the same CKA_ID: a search may find the wrong one.")

    /// Keys of ours that nothing on record tells from another key of the same name.
    private static func unproved(_ manifest: TokenManifest?) -> [LintReport.Finding] {
        guard let manifest else { return [] }
        return manifest.keys.values.filter(\.isUnproved).sorted { $0.label < $1.label }.map { key in
            .init(
                .warning, "CKA_CHECK_VALUE",
                "Nothing on record proves '\(key.label)': neither a check value nor a sentinel. Stop the daemon and run "
                    + "`kmsd init`, which adds a sentinel if the token can open one.")
        }
    }

    private static func missing(_ all: [ObjectSnapshot], _ manifest: TokenManifest?) -> [LintReport.Finding] {
        guard let manifest else { return [] }
        return manifest.keys.values.sorted { $0.label < $1.label }.compactMap { key in
            let isThere = all.contains {
                $0.isSecret && Hexadecimal.encode($0.id) == key.id && $0.label.isExactly(key.label)
            }
            return isThere ? nil : .init(.bad, "CKA_ID", "The manifest names '\(key.label)', which is not there.")
        }
    }
}

extension LintReport.Finding {
    init(_ grade: LintReport.Grade, _ attribute: String, _ message: String) {
        self.init(grade: grade, attribute: attribute, message: message)
    }
}
