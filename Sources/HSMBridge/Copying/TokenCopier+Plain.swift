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
        var differences: [String] = []
        for way in Landing.allCases {
            guard let made = try make(object, way) else { continue }
            do throws(HSMError) {
                let kept = try target.use { session throws(HSMError) in try CopiedObject.read(made, session) }
                differences = Self.differences(object, kept)
                if differences.isEmpty {
                    taken.add(kept)
                    entry.outcome = .copied
                    entry.proof = "read back, equal in every attribute that was carried"
                    return
                }
            } catch {
                try destroy(made, after: error)
                throw error
            }
            try destroy(made, after: nil)
        }
        entry.refuse(
            "it arrived otherwise (\(differences.joined(separator: ", "))) and was destroyed",
            "import it with the target's own tool")
    }

    private static func differences(_ object: CopiedObject, _ kept: CopiedObject) -> [String] {
        var found = CarriedAttributes.differences(object, kept)
        if kept.label != object.label { found.append("CKA_LABEL is another one") }
        if object.objectClass != .data, kept.id != object.id { found.append("CKA_ID is another one") }
        return found
    }

    /// Makes the object as a copy of a session object, which SoftHSM writes in one step, or itself.
    ///
    /// - Returns: nil if the token makes no copy of it.
    private func make(_ object: CopiedObject, _ way: Landing) throws(HSMError) -> ObjectHandle? {
        try routes.fitting { isSparing throws(HSMError) -> ObjectHandle? in
            let template = PlainObjects.template(of: object, isSparing: isSparing)
            switch way {
            case .making: return try target.keep { session throws(HSMError) in try session.create(template) }
            case .copying:
                do throws(HSMError) {
                    return try copy(template.without([.token, .label, .id]), object)
                } catch {
                    guard error.mayMeanRefusal else { throw error }
                    return nil
                }
            }
        }
    }

    private func copy(_ template: KeyTemplate, _ object: CopiedObject) throws(HSMError) -> ObjectHandle {
        let staged = try target.makeScratch(template) { (session, template) throws(HSMError) in
            try session.create(template)
        }
        defer { target.discard(staged) }
        let names: [Attribute] = [.flag(.token, true), .bytes(.label, object.label)]
        let identifier: [Attribute] = object.objectClass == .data ? [] : [.bytes(.id, object.id)]
        return try target.keep { session throws(HSMError) in
            try session.copy(staged, KeyTemplate(names + identifier))
        }
    }
}
