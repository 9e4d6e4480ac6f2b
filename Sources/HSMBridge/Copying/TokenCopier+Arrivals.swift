import Token

/// What has arrived on the target: looked at, mended, accepted or taken back.
extension TokenCopier {
    /// The label of a key that is not yet as it must be when it is on the target; the next run would remove it.
    static let transit = Array((CopySide.marker + "transit").utf8)

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
