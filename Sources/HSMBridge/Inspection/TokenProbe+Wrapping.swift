import CP11Kit
import Token

/// Probes of key wrapping and of the policies around it.
extension TokenProbe {
    mutating func wrappingKey(isStrict: Bool = false) throws(HSMError) -> ObjectHandle {
        try generateAES(
            [.aesKeyWrapPad],
            [
                .flag(.wrap, true), .flag(.unwrap, true), .flag(.extractable, false),
                .template(.unwrapTemplate, KeyTemplate.residentGuard),
            ], isStrict: isStrict)
    }

    mutating func wrapsAES() throws(HSMError) -> Double? {
        let wrapping = try wrappingKey()
        let usage: [Attribute] = [.flag(.encrypt, true), .flag(.decrypt, true)]
        let key = try generateAES([.aesGCM], usage + [.flag(.extractable, true)])
        let unwrapped = try session.unwrap(
            try session.wrap(key, under: wrapping, .aesKeyWrapPad), under: wrapping, .aesKeyWrapPad,
            Self.secret(.aes, [.aesGCM], usage + [.flag(.extractable, false)]))
        created.append(unwrapped)
        let iv = [UInt8](repeating: 3, count: 12)
        var sealed = [UInt8](repeating: 0, count: 48)
        try Self.encrypt(session, key, iv, [UInt8](repeating: 0, count: 32), &sealed)
        guard try opens(sealed, unwrapped, iv) else { throw Self.wrong("An unwrapped AES key is another key.") }
        return nil
    }

    mutating func wrapsPair(_ curve: EllipticCurve) throws(HSMError) -> Double? {
        let wrapping = try wrappingKey()
        let pair = try generatePair(
            curve, [.flag(.sign, true), .flag(.extractable, true)], publicUsage: [.flag(.verify, true)])
        let unwrapped = try session.unwrap(
            try session.wrap(pair.privateKey, under: wrapping, .aesKeyWrapPad), under: wrapping, .aesKeyWrapPad,
            [
                .objectClass(.privateKey), .keyType(curve.isEdwards ? .edwards : .ec), .flag(.token, false),
                .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false), .flag(.sign, true),
            ])
        created.append(unwrapped)
        try checkSignature(curve, unwrapped, pair.publicKey)
        return nil
    }

    // MARK: Policies

    mutating func copies() throws(HSMError) -> Double? {
        let key = try generateAES([.aesGCM], [.flag(.encrypt, true), .flag(.extractable, false)])
        let copy = try session.copy(key, KeyTemplate.sessionCopy)
        created.append(copy)
        guard try session.flag(.extractable, of: copy) == false, try session.flag(.sensitive, of: copy) == true else {
            throw Self.wrong("A copy of a key is less protected than the key.")
        }
        return nil
    }

    mutating func enforcesUnwrapTemplate() throws(HSMError) -> Double? {
        let wrapping = try wrappingKey(isStrict: true)
        let key = try generateAES([.aesGCM], [.flag(.encrypt, true), .flag(.extractable, true)])
        let wrapped = try session.wrap(key, under: wrapping, .aesKeyWrapPad)
        let fresh = try reopen()
        let readable: KeyTemplate = [
            .objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .flag(.private, true),
            .flag(.sensitive, false), .flag(.extractable, true), .flag(.encrypt, true),
        ]
        let object: ObjectHandle
        do throws(HSMError) {
            object = try fresh.unwrap(wrapped, under: wrapping, .aesKeyWrapPad, readable)
        } catch {
            guard Self.templateRefusals.contains(error.returnValue?.rawValue ?? 0) else { throw error }
            return nil
        }
        created.append(object)
        // A token may also obey its own template in silence.
        guard try fresh.flag(.sensitive, of: object) == true, try fresh.flag(.extractable, of: object) == false else {
            throw Self.wrong("A wrapping key unwraps to a readable key in spite of its unwrap template.")
        }
        return nil
    }

    private static let templateRefusals: [UInt] = [
        UInt(CKR_TEMPLATE_INCONSISTENT), UInt(CKR_ATTRIBUTE_VALUE_INVALID), UInt(CKR_ATTRIBUTE_READ_ONLY),
        UInt(CKR_ACTION_PROHIBITED), UInt(CKR_KEY_FUNCTION_NOT_PERMITTED),
    ]

    /// A key limited to AES-GCM must refuse AES-ECB, which a key without limits must accept: a token that has no
    /// AES-ECB at all proves nothing by refusing it.
    mutating func enforcesAllowedMechanisms() throws(HSMError) -> Double? {
        let usage: [Attribute] = [.flag(.encrypt, true), .flag(.extractable, false)]
        let limited = try generateAES([.aesGCM], usage, isStrict: true)
        let template =
            KeyTemplate([
                .objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .flag(.private, true),
                .flag(.sensitive, true), .number(.valueLength, 32),
            ]) + usage
        let free = try make(template, isStrict: false) { (session, template) throws(HSMError) in
            try session.generateKey(.aesKeyGeneration, template)
        }
        let control = startsECB(try reopen(), free)
        guard control == .ok else { throw HSMError.returned(control, by: "C_EncryptInit") }
        let value = startsECB(try reopen(), limited)
        guard value != .ok else { throw Self.wrong("A key limited to AES-GCM also encrypts with AES-ECB.") }
        let refusals = [
            UInt(CKR_MECHANISM_INVALID), UInt(CKR_KEY_FUNCTION_NOT_PERMITTED), UInt(CKR_KEY_TYPE_INCONSISTENT),
        ]
        guard refusals.contains(value.rawValue) else { throw HSMError.returned(value, by: "C_EncryptInit") }
        return nil
    }

    private borrowing func startsECB(_ session: borrowing Session, _ key: ObjectHandle) -> ReturnValue {
        session.result(of: "C_EncryptInit") { functions, handle in
            Mechanism.plain(.aesECB).withCMechanism { functions.pointee.C_EncryptInit(handle, $0, key) }
        }
    }
}
