import Token

/// Public keys, certificates and public data.
extension TokenCopier {
    mutating func make(_ object: CopiedObject, _ entry: inout TokenCopyReport.Entry) throws(HSMError) {
        entry.route = "as a plain object"
        if object.has(.trusted) { entry.notes.append("CKA_TRUSTED is not carried: only a security officer gives it") }
        guard !isDryRun else {
            entry.outcome = .wouldCopy
            return
        }
        let made = try routes.fitting { isSparing throws(HSMError) in
            try target.keep { session throws(HSMError) in
                try session.create(PlainObjects.template(of: object, isSparing: isSparing))
            }
        }
        do throws(HSMError) {
            let kept = try target.use { session throws(HSMError) in try CopiedObject.read(made, session) }
            var differences = CarriedAttributes.differences(object, kept)
            if kept.label != object.label { differences.append("CKA_LABEL is another one") }
            if object.objectClass != .data, kept.id != object.id { differences.append("CKA_ID is another one") }
            guard differences.isEmpty else {
                try destroy(made, after: nil)
                return entry.refuse(
                    "it arrived otherwise (\(differences.joined(separator: ", "))) and was destroyed",
                    "import it with the target's own tool")
            }
            taken.add(kept)
            entry.outcome = .copied
            entry.proof = "read back, equal in every attribute that was carried"
        } catch {
            try destroy(made, after: error)
            throw error
        }
    }
}
