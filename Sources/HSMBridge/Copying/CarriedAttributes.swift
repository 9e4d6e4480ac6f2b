import Token

/// Which attributes go along with an object, and what it means if one of them is otherwise on the other side.
enum CarriedAttributes {
    /// What a key may be used for. One that the source does not tell is not allowed.
    static let uses: [AttributeType] = [
        .encrypt, .decrypt, .sign, .verify, .wrap, .unwrap, .derive, .signRecover, .verifyRecover,
    ]

    /// Restrictions that hold while they are true.
    private static let guards: [AttributeType] = [.private, .sensitive, .wrapWithTrusted, .alwaysAuthenticate]

    /// Restrictions that hold while they are false; one that is not told is taken for true.
    private static let permissions: [AttributeType] = [.extractable, .modifiable, .copyable, .destroyable]

    /// Of these a token that does not tell them is not believed.
    private static let musts: [AttributeType] = [.private, .sensitive, .extractable]

    static func flags(of objectClass: ObjectClass) -> [AttributeType] {
        switch objectClass {
        case .secretKey, .privateKey: uses + guards + permissions + [.trusted]
        case .publicKey: uses + [.private, .trusted, .modifiable, .copyable, .destroyable]
        case .certificate: [.private, .trusted, .modifiable, .copyable, .destroyable]
        default: [.private, .modifiable, .copyable, .destroyable]
        }
    }

    static func values(of objectClass: ObjectClass) -> [AttributeType] {
        switch objectClass {
        case .secretKey, .privateKey:
            [
                .startDate, .endDate, .subject, .allowedMechanisms, .wrapTemplate, .unwrapTemplate, .deriveTemplate,
                .modulus, .publicExponent, .ecParameters,
            ]
        case .publicKey: [.startDate, .endDate, .subject, .modulus, .publicExponent, .ecParameters, .ecPoint]
        case .certificate:
            [
                .certificateType, .certificateCategory, .subject, .issuer, .serialNumber, .value, .startDate, .endDate,
            ]
        case .data: [.application, .objectID, .value]
        default: []
        }
    }

    /// Templates inside an object: what it wraps, unwraps and derives is bound by them.
    static let templates: [AttributeType] = [.wrapTemplate, .unwrapTemplate, .deriveTemplate]

    /// The template of a secret or private key that arrives, but for CKA_TOKEN, CKA_LABEL and CKA_ID.
    ///
    /// - Parameter isSparing: Without what is the default on most tokens, for one that refuses to be told. What became of it
    ///   is read back in either case.
    static func template(of key: CopiedObject, isSparing: Bool) -> KeyTemplate {
        var attributes: [Attribute] = [.objectClass(key.objectClass), .flag(.private, true)]
        if let keyType = key.keyType { attributes.append(.keyType(keyType)) }
        // Nothing becomes readable that was not.
        attributes.append(.flag(.sensitive, key.flags[.sensitive] != false))
        attributes.append(.flag(.extractable, key.flags[.extractable] == true))
        for use in uses where key.flags[use] == true || (!isSparing && key.flags[use] != nil) {
            attributes.append(.flag(use, key.has(use)))
        }
        for permission in permissions.dropFirst() where key.flags[permission] == false {
            attributes.append(.flag(permission, false))
        }
        for type in [AttributeType.startDate, .endDate, .subject] {
            if let value = key.values[type] { attributes.append(.bytes(type, value)) }
        }
        if let mechanisms = key.allowedMechanisms { attributes.append(.allowedMechanisms(mechanisms)) }
        return KeyTemplate(attributes)
    }

    /// How what arrived differs from what was there, in words; empty if it is the same and no weaker.
    ///
    /// Labels and identifiers are not looked at; public parts are, as far as both tell them.
    static func differences(_ source: CopiedObject, _ target: CopiedObject) -> [String] {
        var found: [String] = []
        if source.objectClass != target.objectClass { found.append("it has another CKA_CLASS") }
        if source.keyType != target.keyType { found.append("it has another CKA_KEY_TYPE") }
        if source.isSecret {
            for must in musts where target.flags[must] == nil { found.append("\(must.name) is not told") }
        }
        for type in guards where source.flags[type] == true || (type == .private && source.isSecret) {
            if target.flags[type] == false || (target.flags[type] == nil && !musts.contains(type)) {
                found.append("\(type.name) is no longer true")
            }
        }
        for type in permissions where source.flags[type] == false {
            if target.flags[type] == true || (target.flags[type] == nil && !musts.contains(type)) {
                found.append("\(type.name) is no longer false")
            }
        }
        if source.isKey {
            for use in uses where source.has(use) != target.has(use) {
                found.append(target.has(use) ? "\(use.name) became true" : "\(use.name) is lost")
            }
        }
        if target.has(.trusted), !source.has(.trusted) { found.append("CKA_TRUSTED became true") }
        found += lost(source, target)
        if let was = source.valueLength, let isNow = target.valueLength, was != isNow {
            found.append("it has \(isNow) bytes instead of \(was)")
        }
        return found
    }

    private static func lost(_ source: CopiedObject, _ target: CopiedObject) -> [String] {
        var found: [String] = []
        if Set(source.allowedMechanisms ?? []) != Set(target.allowedMechanisms ?? []) {
            found.append(
                target.allowedMechanisms == nil
                    ? "CKA_ALLOWED_MECHANISMS is lost" : "CKA_ALLOWED_MECHANISMS is another one")
        }
        for type in values(of: source.objectClass) where type != .allowedMechanisms {
            guard let was = source.values[type] else { continue }
            guard let isNow = target.values[type] else {
                // A private key need not tell its public half; that is proved by use.
                if !source.isSecret || ![.modulus, .publicExponent, .ecParameters].contains(type) {
                    found.append("\(type.name) is lost")
                }
                continue
            }
            if canonical(type, was, source) != canonical(type, isNow, target) {
                found.append("\(type.name) is another one")
            }
        }
        return found
    }

    /// The spellings of one value are one: leading zeros of numbers, bare and wrapped points, names of a curve.
    private static func canonical(_ type: AttributeType, _ value: [UInt8], _ object: CopiedObject) -> [UInt8] {
        switch type {
        case .modulus, .publicExponent: Array(value.drop { $0 == 0 })
        case .ecParameters: EllipticCurve.named(value)?.parameters ?? value
        case .ecPoint: object.curve?.point(fromAttribute: value) ?? value
        default: value
        }
    }
}

extension CopiedObject {
    /// CKA_ALLOWED_MECHANISMS; nil if it restricts nothing.
    var allowedMechanisms: [MechanismType]? {
        guard let value = values[.allowedMechanisms] else { return nil }
        let width = MemoryLayout<UInt>.size
        return value.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - width + 1, by: width).map {
                MechanismType(rawValue: bytes.loadUnaligned(fromByteOffset: $0, as: UInt.self))
            }
        }
    }
}
