/// The attributes of one token object that its safety depends on. A value, so that grading needs no token.
struct ObjectSnapshot: Sendable, Equatable {
    var objectClass: UInt
    var label: String
    var id: [UInt8]
    /// Boolean attributes the object has.
    var flags: [AttributeType: Bool]
    /// nil or empty: the object does not restrict its mechanisms.
    var allowedMechanisms: [MechanismType]?
    /// Whether CKA_UNWRAP_TEMPLATE limits what the object unwraps to.
    var hasUnwrapTemplate: Bool

    var isSecret: Bool {
        objectClass == ObjectClass.secretKey.rawValue || objectClass == ObjectClass.privateKey.rawValue
    }

    func has(_ type: AttributeType) -> Bool { flags[type] == true }

    var className: String {
        switch ObjectClass(rawValue: objectClass) {
        case .secretKey: "secret-key"
        case .privateKey: "private-key"
        case .publicKey: "public-key"
        case .certificate: "certificate"
        case .data: "data"
        default: "class-\(objectClass)"
        }
    }

    private static let inspected: [AttributeType] = [
        .token, .private, .sensitive, .extractable, .alwaysSensitive, .neverExtractable, .local, .modifiable, .encrypt,
        .decrypt, .wrap, .unwrap, .sign, .verify, .derive, .wrapWithTrusted, .trusted,
    ]

    /// Reads an object; an attribute that its class does not have stays absent.
    static func read(_ object: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> ObjectSnapshot {
        var flags: [AttributeType: Bool] = [:]
        for type in inspected {
            if let value = try session.flag(type, of: object) { flags[type] = value }
        }
        return ObjectSnapshot(
            objectClass: try session.number(.objectClass, of: object) ?? .max,
            label: try session.text(.label, of: object) ?? "", id: try session.attribute(.id, of: object) ?? [],
            flags: flags, allowedMechanisms: try session.allowedMechanisms(of: object),
            hasUnwrapTemplate: try session.length(.unwrapTemplate, of: object) ?? 0 > 0)
    }
}
