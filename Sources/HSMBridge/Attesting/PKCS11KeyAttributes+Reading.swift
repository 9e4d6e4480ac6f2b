import Token

extension PKCS11KeyAttributes {
    static func read(_ object: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> PKCS11KeyAttributes {
        PKCS11KeyAttributes(
            objectClass: name(try session.number(.objectClass, of: object), classes),
            keyType: name(try session.number(.keyType, of: object), types),
            sensitive: try readable { () throws(HSMError) in try session.flag(.sensitive, of: object) },
            alwaysSensitive: try readable { () throws(HSMError) in try session.flag(.alwaysSensitive, of: object) },
            extractable: try readable { () throws(HSMError) in try session.flag(.extractable, of: object) },
            neverExtractable: try readable { () throws(HSMError) in try session.flag(.neverExtractable, of: object) },
            local: try readable { () throws(HSMError) in try session.flag(.local, of: object) },
            mechanisms: try readable { () throws(HSMError) in try session.allowedMechanisms(of: object) }?.map {
                name(UInt($0.rawValue), mechanismNames)
            })
    }

    /// Nil for what the token fails to tell although it is there.
    private static func readable<Value>(_ read: () throws(HSMError) -> Value?) throws(HSMError) -> Value? {
        do throws(HSMError) {
            return try read()
        } catch {
            guard !error.isLostSession, error.returnValue?.recovery != .reResolve else { throw error }
            return nil
        }
    }

    private static func name(_ value: UInt?, _ names: [UInt: String]) -> String {
        guard let value else { return "-" }
        return names[value] ?? "0x" + String(value, radix: 16)
    }

    private static let classes = [
        ObjectClass.privateKey.rawValue: "CKO_PRIVATE_KEY", ObjectClass.secretKey.rawValue: "CKO_SECRET_KEY",
    ]
    private static let types = [
        KeyType.aes.rawValue: "CKK_AES", KeyType.genericSecret.rawValue: "CKK_GENERIC_SECRET",
        KeyType.ec.rawValue: "CKK_EC", KeyType.edwards.rawValue: "CKK_EC_EDWARDS",
    ]
    private static let mechanismNames: [UInt: String] = [
        UInt(MechanismType.ecdsa.rawValue): "CKM_ECDSA", UInt(MechanismType.eddsa.rawValue): "CKM_EDDSA",
        UInt(MechanismType.aesGCM.rawValue): "CKM_AES_GCM", UInt(MechanismType.sha256HMAC.rawValue): "CKM_SHA256_HMAC",
        UInt(MechanismType.aesKeyWrapPad.rawValue): "CKM_AES_KEY_WRAP_PAD",
        UInt(MechanismType.ecdh1Derive.rawValue): "CKM_ECDH1_DERIVE",
    ]
}
