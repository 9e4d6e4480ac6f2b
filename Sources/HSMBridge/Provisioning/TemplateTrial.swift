import Token

/// Finds out which attributes of a template a token refuses, alters or loses, with objects made for it and destroyed.
enum TemplateTrial {
    /// The attributes that keep a template of a kind of key from being accepted, each by itself; nil if the token
    /// refuses even what the key cannot be without.
    static func refused(
        _ template: KeyTemplate, _ kind: KeyKind, _ session: borrowing Session
    ) throws(HSMError) -> [AttributeType]? {
        try refused(template, session) { (template, session) throws(HSMError) in
            try Provisioner.make(kind, template, session)
        }
    }

    static func refused(
        _ template: KeyTemplate, _ session: borrowing Session,
        _ make: (KeyTemplate, borrowing Session) throws(HSMError) -> MadeKey
    ) throws(HSMError) -> [AttributeType]? {
        let candidates = template.attributes.filter { !essential.contains($0.type) }
        let base = template.without(candidates.map(\.type))
        guard try accepts(base, session, make) else { return nil }
        var refused: [AttributeType] = []
        for attribute in candidates where try !accepts(base + [attribute], session, make) {
            refused.append(attribute.type)
        }
        return refused
    }

    private static func accepts(
        _ template: KeyTemplate, _ session: borrowing Session,
        _ make: (KeyTemplate, borrowing Session) throws(HSMError) -> MadeKey
    ) throws(HSMError) -> Bool {
        // SoftHSM fails to create a token object now and then; a refusal is the same three times.
        for attempt in 1...3 {
            do throws(HSMError) {
                let made = try make(template, session)
                made.destroy(session)
                return true
            } catch {
                guard let value = error.returnValue, value.saysCannot || value.mayMeanCannot else { throw error }
                if value.saysCannot || attempt == 3 { return false }
            }
        }
        return false
    }

    /// What makes the object a private token object of its kind, by which it is found again.
    private static let essential: Set<AttributeType> = [
        .objectClass, .keyType, .valueLength, .token, .private, .label, .id, .value, .ecParameters,
    ]

    /// How an object differs from its template.
    static func kept(
        _ template: KeyTemplate, by object: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> [TemplateReport.Attribute] {
        var outcomes: [TemplateReport.Attribute] = []
        for attribute in template.attributes {
            outcomes.append(
                try told(attribute.type, object, session) { (session) throws(HSMError) in
                    try outcome(of: attribute, on: object, session)
                })
        }
        // The template of a pair leaves to the mechanism what its keys are; that they tell it is asked of them all the same.
        for type in implied(by: template) {
            let own = try told(type, object, session) { (session) throws(HSMError) in
                try session.number(type, of: object) == nil ? .untold : .kept
            }
            if own.outcome == .untold { outcomes.append(own) }
        }
        return outcomes
    }

    private static func told(
        _ type: AttributeType, _ object: ObjectHandle, _ session: borrowing Session,
        _ outcome: (borrowing Session) throws(HSMError) -> TemplateReport.Outcome
    ) throws(HSMError) -> TemplateReport.Attribute {
        var told = TemplateReport.Attribute(name: type.name, outcome: .untold, detail: nil)
        do throws(HSMError) {
            told.outcome = try outcome(session)
        } catch {
            guard !error.isLostSession, error.returnValue?.recovery != .reResolve,
                type == .objectClass || (try? session.number(.objectClass, of: object)) != nil
            else { throw error }
            told.detail = error.cause.map { "\($0)" } ?? error.message
        }
        return told
    }

    /// What every key is and a template may leave out; nothing of a data object.
    private static func implied(by template: KeyTemplate) -> [AttributeType] {
        let isData = template.attributes.contains { attribute in
            if case .number(.objectClass, ObjectClass.data.rawValue) = attribute { true } else { false }
        }
        guard !isData else { return [] }
        return [.objectClass, .keyType].filter { type in !template.attributes.contains { $0.type == type } }
    }

    /// The attributes that must be known before a key is used, and of which the object says nothing: those that say what it is
    /// and that it stays inside, and every one that the token answers with a failure instead of its value. What may be
    /// dispensed with is proved or reported elsewhere.
    static func unproven(_ attributes: [TemplateReport.Attribute]) -> [TemplateReport.Attribute] {
        attributes.filter { attribute in
            attribute.outcome == .untold && DispensableAttribute(rawValue: attribute.name) == nil
                && (attribute.detail != nil || telling.contains(attribute.name))
        }
    }

    // exact: the standard's own spellings.
    private static let telling = Set(
        [AttributeType.objectClass, .keyType, .token, .private, .sensitive, .extractable].map(\.name))

    private static func outcome(
        of attribute: Attribute, on object: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> TemplateReport.Outcome {
        switch attribute {
        case .flag(let type, let value):
            // A use that is not told is not allowed.
            guard let told = try session.flag(type, of: object) else { return value ? .lost : .untold }
            return told == value ? .kept : .altered
        case .number(let type, let value):
            guard let told = try session.number(type, of: object) else { return .untold }
            return told == value ? .kept : .altered
        case .bytes(let type, let value):
            guard let told = try session.attribute(type, of: object) else { return type == .value ? .untold : .lost }
            return told == value ? .kept : .altered
        case .allowedMechanisms(let types):
            guard let told = try session.allowedMechanisms(of: object), !told.isEmpty else { return .lost }
            return Set(told) == Set(types) ? .kept : .altered
        case .template(let type, _):
            return try session.length(type, of: object) ?? 0 > 0 ? .kept : .lost
        }
    }
}
