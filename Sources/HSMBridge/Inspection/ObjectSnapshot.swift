import Token

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
    /// CKA_KEY_TYPE; nil for what is no key.
    var keyType: UInt?
    /// Bits of an RSA modulus or of the prime of a finite field, bytes of a secret value in bits; nil if the object does
    /// not say.
    var bits: Int?
    /// CKA_EC_PARAMS.
    var curve: [UInt8]?
    /// Attributes that the token did not tell although the object is there, each with what it answered.
    var unread: [Unread] = []

    struct Unread: Sendable, Equatable {
        var type: AttributeType
        var answer: String
    }

    /// What an object whose class nobody tells has for one.
    static let unknownClass = UInt.max

    /// An object that does not tell its class is graded as what it may be.
    var isSecret: Bool {
        objectClass == ObjectClass.secretKey.rawValue || objectClass == ObjectClass.privateKey.rawValue
            || objectClass == Self.unknownClass
    }

    var isKey: Bool { isSecret || objectClass == ObjectClass.publicKey.rawValue }

    func has(_ type: AttributeType) -> Bool { flags[type] == true }

    /// Whether an attribute is known: told as absent is known, too.
    func isRead(_ type: AttributeType) -> Bool { !unread.contains { $0.type == type } }

    var className: String {
        switch ObjectClass(rawValue: objectClass) {
        case .secretKey: "secret-key"
        case .privateKey: "private-key"
        case .publicKey: "public-key"
        case .certificate: "certificate"
        case .data: "data"
        case ObjectClass(rawValue: Self.unknownClass): "unknown-class"
        default: "class-\(objectClass)"
        }
    }

    private static let inspected: [AttributeType] = [
        .token, .private, .sensitive, .extractable, .alwaysSensitive, .neverExtractable, .local, .modifiable, .encrypt,
        .decrypt, .wrap, .unwrap, .sign, .verify, .derive, .wrapWithTrusted, .trusted,
    ]

    /// Reads an object but for its templates, see ``all(_:)``; an attribute that its class does not have stays absent, one
    /// that cannot be read is noted.
    ///
    /// - Throws: What the module said if the object or the token is gone.
    static func read(_ object: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> ObjectSnapshot {
        var snapshot = ObjectSnapshot(
            objectClass: unknownClass, label: "", id: [], flags: [:], allowedMechanisms: nil, hasUnwrapTemplate: false)
        let objectClass = try snapshot.noting(.objectClass, object, session) { (session) throws(HSMError) in
            try session.number(.objectClass, of: object)
        }
        if let objectClass { snapshot.objectClass = objectClass }
        if objectClass == nil, snapshot.isRead(.objectClass) {
            snapshot.unread.append(Unread(type: .objectClass, answer: "the object has none"))
        }
        for type in inspected {
            snapshot.flags[type] = try snapshot.noting(type, object, session) { (session) throws(HSMError) in
                try session.flag(type, of: object)
            }
        }
        snapshot.label =
            try snapshot.noting(.label, object, session) { (session) throws(HSMError) in
                try session.text(.label, of: object)
            } ?? ""
        snapshot.id =
            try snapshot.noting(.id, object, session) { (session) throws(HSMError) in
                try session.attribute(.id, of: object)
            } ?? []
        guard snapshot.isKey else { return snapshot }
        snapshot.allowedMechanisms = try snapshot.noting(.allowedMechanisms, object, session) {
            (session) throws(HSMError) in
            try session.allowedMechanisms(of: object)
        }
        try snapshot.readStrength(object, session)
        return snapshot
    }

    private mutating func readStrength(_ object: ObjectHandle, _ session: borrowing Session) throws(HSMError) {
        keyType = try noting(.keyType, object, session) { (session) throws(HSMError) in
            try session.number(.keyType, of: object)
        }
        switch keyType.map({ KeyType(rawValue: $0) }) {
        case .rsa: bits = try numberLength(.modulus, object, session)
        case .dsa, .dh, .x942DH: bits = try numberLength(.prime, object, session)
        case .ec:
            curve = try noting(.ecParameters, object, session) { (session) throws(HSMError) in
                try session.attribute(.ecParameters, of: object)
            }
        case .genericSecret, .aes,
            _ where keyType.map(TokenLint.isMAC) == true:
            let length = try noting(.valueLength, object, session) { (session) throws(HSMError) in
                try session.number(.valueLength, of: object)
            }
            // SoftHSM does not record the length of an unwrapped key.
            bits = length.flatMap { $0 > 0 && $0 < 1 << 16 ? Int($0) * 8 : nil }
        default: break
        }
    }

    private mutating func numberLength(
        _ type: AttributeType, _ object: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> Int? {
        let number = try noting(type, object, session) { (session) throws(HSMError) in
            try session.attribute(type, of: object)
        }
        guard let digits = number?.drop(while: { $0 == 0 }), let first = digits.first else { return nil }
        return digits.count * 8 - first.leadingZeroBitCount
    }

    /// Reads one attribute, or notes that it cannot be read if the object still answers.
    mutating func noting<Value>(
        _ type: AttributeType, _ object: ObjectHandle, _ session: borrowing Session,
        _ read: (borrowing Session) throws(HSMError) -> Value?
    ) throws(HSMError) -> Value? {
        do throws(HSMError) {
            return try read(session)
        } catch {
            guard !error.isLostSession, error.returnValue?.recovery != .reResolve, isThere(object, session) else {
                throw error
            }
            unread.append(Unread(type: type, answer: error.cause.map { "\($0)" } ?? error.message))
            return nil
        }
    }

    /// Whether the object still answers, by its class or, where that is not told, by the attribute that it was found by.
    private func isThere(_ object: ObjectHandle, _ session: borrowing Session) -> Bool {
        if objectClass != Self.unknownClass {
            return (try? session.number(.objectClass, of: object)) == objectClass
        }
        return (try? session.flag(.token, of: object)) != nil
    }
}
