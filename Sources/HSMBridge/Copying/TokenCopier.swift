import Encodings
import Token

/// Copies the chosen objects of one token to another, one after the other.
///
/// Nothing secret reaches the target's storage before it was proved. A key arrives as an object that must not stay, which is
/// compared by use and read back; only then the target makes a copy of it that stays, or unwraps it once more if it makes none.
/// What stays is compared and read back again, and destroyed if anything is otherwise. Whatever moment the process dies at, the
/// next run finds whole keys, compares them again and leaves them.
struct TokenCopier {
    let source: CopySide
    let target: CopySide
    let isDryRun: Bool
    private let objects: [CopiedObject]
    /// Everything on the source: a private key's public half may be one that was not chosen.
    private let shown: ObjectIndex
    /// What is on the target, with what was added.
    var taken: ObjectIndex
    var routes: KeyRoutes

    init(_ source: CopySide, _ target: CopySide, isDryRun: Bool) throws(HSMError) {
        self.source = source
        self.target = target
        self.isDryRun = isDryRun
        objects = try Self.objects(source)
        shown = ObjectIndex(objects)
        taken = ObjectIndex(try Self.objects(target))
        routes = KeyRoutes(source, target)
    }

    /// The key under which keys travelled, in words; nil if none was needed yet.
    var transportName: String? { routes.transportName }

    private static func objects(_ side: CopySide) throws(HSMError) -> [CopiedObject] {
        try side.use { session throws(HSMError) in
            var found: [CopiedObject] = []
            for handle in try session.find([.flag(.token, true)]) {
                let object = try CopiedObject.read(handle, session)
                if object.label != Self.transit { found.append(object) }
            }
            return found
        }
    }

    /// The objects to copy: keys first, then what goes with them; by label and CKA_ID, since tokens show them in any order.
    func chosen(by matches: [ObjectMatch]) -> [CopiedObject] {
        let order: [ObjectClass] = [.privateKey, .secretKey, .publicKey, .certificate, .data]
        let wanted = objects.filter { object in matches.isEmpty || matches.contains { $0.matches(object) } }
            .sorted { ($0.label + [0] + $0.id).lexicographicallyPrecedes($1.label + [0] + $1.id) }
        return order.flatMap { kind in wanted.filter { $0.objectClass == kind } }
            + wanted.filter { !order.contains($0.objectClass) }
    }

    // MARK: One object

    /// - Throws: What ends the copy: a token that is out of reach, or full. Everything else is in the entry.
    mutating func copy(_ object: CopiedObject, _ entry: inout TokenCopyReport.Entry) throws(HSMError) {
        do throws(HSMError) {
            if try isThere(object, &entry) { return }
            if let obstacle = Movability.obstacle(object) {
                return entry.stay(obstacle.reason, obstacle.remedy)
            }
            if object.isSecret { try move(object, &entry) } else { try make(object, &entry) }
        } catch {
            guard !error.endsCopy else { throw error }
            // A soft token that is gone answers as if the object were.
            try source.checkPresence()
            try target.checkPresence()
            entry.refuse(error.message, "see what the token says, and run the copy again")
        }
    }

    /// Whether the object's place on the target is taken, by itself or by another one; says which.
    private func isThere(_ object: CopiedObject, _ entry: inout TokenCopyReport.Entry) throws(HSMError) -> Bool {
        let others = taken.atPlace(of: object)
        guard !others.isEmpty else { return false }
        var why = ""
        for other in others {
            var verdict = UseProof.Verdict.same("equal in every attribute that was carried")
            if object.isSecret {
                var proof = UseProof(source, target, of: object, publicHalf: try publicHalf(object))
                verdict = try proof.verdict(on: other.handle)
            }
            let differences = CarriedAttributes.differences(object, other)
            switch verdict {
            case .same(let proof) where differences.isEmpty && object.label == other.label:
                entry.outcome = .present
                entry.proof = proof
                return true
            case .same where object.label != other.label: why = "it is on the target under the label '\(other.text)'"
            case .same: why = "it is on the target already, and \(differences.joined(separator: ", "))"
            case .different(let words): why = "'\(other.text)' on the target is another one: \(words)"
            case .untold(let words): why = "'\(other.text)' on the target cannot be compared: \(words)"
            }
        }
        let place = object.objectClass == .data ? "label" : object.id.isEmpty ? "empty CKA_ID" : "CKA_ID"
        entry.refuse(
            "its \(place) is taken on the target: \(why)",
            "nothing there is replaced. Give one of the two another CKA_ID or label, or destroy the one on the target if it is "
                + "not needed")
        return true
    }

    private func publicHalf(_ key: CopiedObject) throws(HSMError) -> UseProof.PublicHalf? {
        try UseProof.PublicHalf.find(key, among: shown, source)
    }

    // MARK: Secret and private keys

    private mutating func move(_ key: CopiedObject, _ entry: inout TokenCopyReport.Entry) throws(HSMError) {
        var proof = UseProof(source, target, of: key, publicHalf: try publicHalf(key))
        // Compared with itself: a key that nothing tells from another is not moved, and nothing is tried with it.
        var own = UseProof(source, source, of: key, publicHalf: proof.publicHalf)
        if case .untold(let words) = try own.verdict(on: key.handle) {
            return entry.stay(
                "that it arrives as the same key could not be proved: \(words)",
                "bring its public key, or a use that both tokens have, to the source, or make a new key on the target")
        }
        var failures: [String] = []
        for route in try routes.candidates(for: key, &failures) {
            do throws(HSMError) {
                if try travel(key, by: route, &proof, &entry, &failures) { return }
            } catch {
                guard error.isNoAnswer, !error.endsCopy else { throw error }
                failures.append("\(route.name): \(error.message)")
            }
        }
        entry.refuse(
            failures.isEmpty
                ? "the two tokens have no way in common by which a key could travel"
                : "no way brings it over: \(failures.joined(separator: "; "))",
            "nothing of it is on the target. Make a new key there, or use the vendor's tool if both tokens are of one vendor"
        )
    }

    /// Brings a key over by one way; false, with the reason noted, if what arrives is not the same.
    private mutating func travel(
        _ key: CopiedObject, by route: KeyRoutes.Route, _ proof: inout UseProof,
        _ entry: inout TokenCopyReport.Entry, _ failures: inout [String]
    ) throws(HSMError) -> Bool {
        let wrapped = try routes.wrap(key, by: route)
        let (staged, template) = try routes.arrive(wrapped, of: key, by: route, proof.publicHalf)
        defer { target.discard(staged) }
        let unasked = try unaskedUses(of: staged, key)
        takeAway(unasked, from: staged)
        guard let words = try accept(staged, key, route, &proof, &failures) else { return false }
        entry.route = route.name
        entry.proof = words
        if key.flags[.private] == false {
            entry.notes.append("it was a public object (CKA_PRIVATE false) and becomes private")
        }
        if key.has(.trusted) { entry.notes.append("CKA_TRUSTED is not carried: only a security officer gives it") }
        guard !isDryRun else {
            entry.outcome = .wouldCopy
            return true
        }
        // Where the token copies objects, what was proved is what stays.
        for way in Landing.allCases {
            guard
                let landed = try land(
                    way, staged, wrapped, of: key, by: route,
                    template + [.bytes(.id, key.id), .bytes(.label, unasked.isEmpty ? key.label : Self.transit)])
            else { continue }
            takeAway(unasked, from: landed)
            if try settle(landed, key, route, &proof, &entry, &failures) { return true }
        }
        return false
    }
}

extension TokenCopyReport.Entry {
    mutating func stay(_ reason: String, _ remedy: String) {
        (outcome, detail, self.remedy) = (.stays, reason, remedy)
    }

    mutating func refuse(_ reason: String, _ remedy: String) {
        (outcome, detail, self.remedy) = (.refused, reason, remedy)
        (route, proof) = (nil, nil)
    }
}

extension CopiedObject {
    /// The label for people.
    var text: String { String(decoding: label, as: UTF8.self) }
}
