import Token

/// A key just made.
struct MadeKey {
    /// The secret or private key.
    let handle: ObjectHandle
    /// A session object; nil for secret keys.
    let publicKey: ObjectHandle?

    func destroy(_ session: borrowing Session) {
        try? session.destroy(handle)
        if let publicKey { try? session.destroy(publicKey) }
    }
}

extension Provisioner {
    /// Makes a token key whose template the token obeys: whole, or without what may be dispensed with.
    ///
    /// - Throws: An error that names the attributes without which the token would take the template, and what to do.
    func generate(
        _ kind: KeyKind, id: [UInt8], label: String, _ session: borrowing Session
    ) throws(HSMError) -> (key: MadeKey, without: [DispensableAttribute]) {
        let whole = KeyTemplate.key(kind, id: id, label: label)
        var template = whole
        var refused: [DispensableAttribute] = []
        let key: MadeKey
        do throws(HSMError) {
            key = try Self.patiently { () throws(HSMError) in try Self.make(kind, whole, session) }
        } catch {
            let types = try refusedAttributes(error, whole, kind, session)
            refused = types.compactMap { DispensableAttribute($0) }
            template = whole.without(types)
            let rest = template
            key = try Self.patiently { () throws(HSMError) in try Self.make(kind, rest, session) }
        }
        do throws(HSMError) {
            return (key, try accept(key, kind, template, refused, session))
        } catch {
            key.destroy(session)
            throw error
        }
    }

    /// The attributes without which the token takes the template, if all of them may be dispensed with.
    private func refusedAttributes(
        _ error: HSMError, _ template: KeyTemplate, _ kind: KeyKind, _ session: borrowing Session
    ) throws(HSMError) -> [AttributeType] {
        guard let value = error.returnValue, value.saysCannot || value.mayMeanCannot,
            let refused = try TemplateTrial.refused(template, kind, session), !refused.isEmpty
        else { throw error.naming(kind) }
        let dispensable = refused.compactMap { DispensableAttribute($0) }
        guard dispensable.count == refused.count, dispensed.isSuperset(of: dispensable) else {
            let names = refused.map(\.name).joined(separator: " and ")
            let way =
                dispensable.count == refused.count
                ? Self.remedy(dispensable)
                : "kmsd makes no key without \(refused.count == 1 ? "it" : "them"), so this token holds none."
            throw HSMError(
                error.code, "\(error.message) Without \(names) the token takes the template. \(way)",
                cause: error.cause)
        }
        return refused
    }

    /// Reads back what the token made: some take a template and do otherwise.
    ///
    /// - Returns: The attributes that the key is without.
    private func accept(
        _ key: MadeKey, _ kind: KeyKind, _ template: KeyTemplate, _ refused: [DispensableAttribute],
        _ session: borrowing Session
    ) throws(HSMError) -> [DispensableAttribute] {
        let kept = try TemplateTrial.kept(template, by: key.handle, session)
        if let silence = Self.silence(kept) { throw silence }
        let weaker = kept.filter { $0.outcome.isWeaker }
        var lost = weaker.compactMap { DispensableAttribute(rawValue: $0.name) }
        let isWhole = lost.count == weaker.count
        // Nothing proves that a key takes no further uses but its own word.
        if kept.contains(where: { $0.name == DispensableAttribute.modifiable.rawValue && $0.outcome == .untold }) {
            lost.append(.modifiable)
        }
        // What an object says of itself is a claim; what it refuses is not.
        for attribute in try RestrictionTrial.unenforced(template, kind, key.handle, session)
        where !lost.contains(attribute) { lost.append(attribute) }
        guard isWhole else {
            let names = weaker.map(\.name).filter { DispensableAttribute(rawValue: $0) == nil }
            throw HSMError(
                .deviceFailure,
                "The token took \(names.joined(separator: " and ")) and made the key otherwise. Such a key is not used, "
                    + "and nothing makes this token fit.")
        }
        guard dispensed.isSuperset(of: lost) else {
            throw HSMError(
                .configurationRefused,
                "The token takes \(lost.map(\.rawValue).joined(separator: " and ")) and does not obey it, or does not tell. "
                    + Self.remedy(lost))
        }
        return DispensableAttribute.allCases.filter { refused.contains($0) || lost.contains($0) }
    }

    /// What a key does not say of itself although nothing else proves it; nil if it says enough.
    private static func silence(_ kept: [TemplateReport.Attribute]) -> HSMError? {
        let unproven = TemplateTrial.unproven(kept)
        guard !unproven.isEmpty else { return nil }
        let names = unproven.map { $0.name + ($0.detail.map { " (\($0))" } ?? "") }.joined(separator: " and ")
        return HSMError(
            .deviceFailure,
            "The token made the key and does not tell its \(names), so nothing shows that the key is the one that was asked "
                + "for and stays inside. Such a key is not used, and nothing makes this token fit.")
    }

    static func make(
        _ kind: KeyKind, _ template: KeyTemplate, _ session: borrowing Session
    ) throws(HSMError) -> MadeKey {
        guard kind.isPair else {
            return MadeKey(handle: try session.generateKey(.aesKeyGeneration, template), publicKey: nil)
        }
        let pair =
            if !kind.sealsToPublicKey, let curve = kind.curve {
                try session.generateKeyPair(
                    .ecKeyPairGeneration, publicKey: .signingPublicKey(curve), privateKey: template)
            } else {
                try session.generateKeyPair(
                    kind.curve == nil ? .rsaKeyPairGeneration : .ecKeyPairGeneration,
                    publicKey: .sealingPublicKey(kind), privateKey: template)
            }
        return MadeKey(handle: pair.privateKey, publicKey: pair.publicKey)
    }

    private static func remedy(_ attributes: [DispensableAttribute]) -> String {
        let options = attributes.map { "--without \($0.rawValue)" }.joined(separator: " ")
        let consequences = attributes.map(\.consequence).joined(separator: ", and ")
        return "`kmsd init \(options)` does without; then \(consequences). The manifest records it and "
            + "`kmsd token lint` tells it."
    }

    /// Creating a token object fails now and then in SoftHSM while others are created; three attempts.
    static func patiently<R>(_ body: () throws(HSMError) -> R) throws(HSMError) -> R {
        for _ in 0..<2 {
            do throws(HSMError) {
                return try body()
            } catch {
                guard let value = error.returnValue, value.recovery == .inputOrDevice else { throw error }
            }
        }
        return try body()
    }
}

extension KeyTemplate {
    /// The template of the secret or private key of a kind.
    static func key(_ kind: KeyKind, id: [UInt8], label: String) -> KeyTemplate {
        if kind.sealsToPublicKey { return sealingPrivateKey(kind, id: id, label: label) }
        return kind.isPair ? signingPrivateKey(id: id, label: label) : secretKey(kind, id: id, label: label)
    }

    func without(_ types: [AttributeType]) -> KeyTemplate {
        KeyTemplate(attributes.filter { !types.contains($0.type) })
    }
}
