import Token

/// What has arrived on the target: looked at, mended, accepted or taken back.
extension TokenCopier {
    /// The label of a key that is not yet as it must be when it is on the target; the next run would remove it.
    static let transit = Array(CopySide.mark.utf8)

    /// How what was proved comes to stay: as a copy of it, or made once more on a token that makes no copies.
    /// SoftHSM writes an object that is unwrapped or created in several steps and one that is copied in one, so a process that ends there
    /// leaves half an object by the one and a whole one by the other.
    enum Landing: CaseIterable {
        case copying, making
    }

    /// - Parameter template: With CKA_LABEL and CKA_ID, without CKA_TOKEN.
    /// - Returns: The token object; nil if the token does not copy the key.
    func land(
        _ way: Landing, _ staged: ObjectHandle, _ wrapped: [UInt8], of key: CopiedObject, by route: KeyRoutes.Route,
        _ template: KeyTemplate
    ) throws(HSMError) -> ObjectHandle? {
        switch way {
        case .making:
            let unwrappingKey = try routes.targetKey(of: route)
            return try target.keep { session throws(HSMError) in
                try session.unwrap(
                    wrapped, under: unwrappingKey, route.target, template + [.flag(.token, true)])
            }
        case .copying:
            let names = template.attributes.filter { [.id, .label].contains($0.type) }
            do throws(HSMError) {
                return try target.keep { session throws(HSMError) in
                    try session.copy(staged, KeyTemplate([.flag(.token, true)] + names))
                }
            } catch {
                guard error.mayMeanRefusal else { throw error }
                return nil
            }
        }
    }

    /// Proves and reads back a key that is on the target, gives it its label if it has it not yet, and takes it back if anything
    /// is otherwise.
    mutating func settle(
        _ landed: ObjectHandle, _ key: CopiedObject, _ route: KeyRoutes.Route, _ proof: inout UseProof,
        _ entry: inout TokenCopyReport.Entry, _ failures: inout [String]
    ) throws(HSMError) -> Bool {
        do throws(HSMError) {
            if let words = try accept(landed, key, route, &proof, &failures) {
                var kept = try target.use { session throws(HSMError) in try CopiedObject.read(landed, session) }
                if kept.label == Self.transit {
                    try target.keep { session throws(HSMError) in
                        try session.set([.bytes(.label, key.label)], on: landed)
                    }
                    kept = try target.use { session throws(HSMError) in try CopiedObject.read(landed, session) }
                }
                guard kept.label == key.label, kept.id == key.id else {
                    throw HSMError(.deviceFailure, "The target gave it another CKA_LABEL or CKA_ID.")
                }
                taken.add(kept)
                entry.proof = words
                entry.outcome = .copied
                return true
            }
        } catch {
            try destroy(landed, after: error)
            throw error
        }
        try destroy(landed, after: nil)
        return false
    }

    /// Uses that the target gave a key although the source's has them not and the template denied them: NSS lets every EC key
    /// derive.
    func unaskedUses(
        of arrived: ObjectHandle, _ key: CopiedObject
    ) throws(HSMError) -> [AttributeType] {
        try target.use { session throws(HSMError) in
            var found: [AttributeType] = []
            for use in CarriedAttributes.uses where !key.has(use) {
                if try session.flag(use, of: arrived) == true { found.append(use) }
            }
            return found
        }
    }

    /// What cannot be taken away is found when the key is read back.
    func takeAway(_ uses: [AttributeType], from arrived: ObjectHandle) {
        for use in uses {
            try? target.keep { session throws(HSMError) in try session.set([.flag(use, false)], on: arrived) }
        }
    }

    /// What proves that a key on the target is the source's and no weaker; nil, with the reason noted, if it is not.
    func accept(
        _ arrived: ObjectHandle, _ key: CopiedObject, _ route: KeyRoutes.Route, _ proof: inout UseProof,
        _ failures: inout [String]
    ) throws(HSMError) -> String? {
        switch try proof.verdict(on: arrived) {
        case .same(let words):
            let told = try target.use { session throws(HSMError) in try CopiedObject.read(arrived, session) }
            let differences = CarriedAttributes.differences(key, told)
            guard differences.isEmpty else {
                failures.append(
                    "\(route.name): it arrived weaker or otherwise (\(differences.joined(separator: ", ")))")
                return nil
            }
            return words
        case .different(let words):
            failures.append("\(route.name): another key arrived (\(words))")
            return nil
        case .untold(let words):
            failures.append("\(route.name): what arrived could not be proved (\(words))")
            return nil
        }
    }

    /// Takes back what must not stay under its name.
    func destroy(_ object: ObjectHandle, after error: HSMError?) throws(HSMError) {
        do throws(HSMError) {
            try target.keep { session throws(HSMError) in try session.destroy(object) }
        } catch let failure {
            guard error?.endsCopy != true else { return }
            // Of no kind that is tried again: a second one would be beside it.
            throw HSMError(
                .keyMismatch,
                "What arrived is not the same or weaker, and the target does not destroy it: \(failure.message) Destroy it "
                    + "by hand.", cause: failure.cause)
        }
    }
}
