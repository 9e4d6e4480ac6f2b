/// Attributes of a key object as its token tells them (PKCS #11 2.40 base, tables 15 and 26); nil for one that the object
/// does not have or does not reveal.
///
/// A token sets `always_sensitive`, `never_extractable` and `local` itself. They are false for every key that was ever
/// unwrapped, wherever it was born.
public struct PKCS11KeyAttributes: Codable, Sendable, Hashable {
    /// CKA_CLASS, such as `CKO_PRIVATE_KEY`; a number in hex for one without a name here.
    public var objectClass: String
    /// CKA_KEY_TYPE, such as `CKK_EC`.
    public var keyType: String
    public var sensitive: Bool?
    public var alwaysSensitive: Bool?
    public var extractable: Bool?
    public var neverExtractable: Bool?
    public var local: Bool?
    /// CKA_ALLOWED_MECHANISMS, such as `CKM_ECDSA`.
    public var mechanisms: [String]?

    enum CodingKeys: String, CodingKey {
        case objectClass = "class"
        case keyType = "key_type"
        case sensitive, extractable, local, mechanisms
        case alwaysSensitive = "always_sensitive"
        case neverExtractable = "never_extractable"
    }

    public init(
        objectClass: String, keyType: String, sensitive: Bool?, alwaysSensitive: Bool?, extractable: Bool?,
        neverExtractable: Bool?, local: Bool?, mechanisms: [String]?
    ) {
        self.objectClass = objectClass
        self.keyType = keyType
        self.sensitive = sensitive
        self.alwaysSensitive = alwaysSensitive
        self.extractable = extractable
        self.neverExtractable = neverExtractable
        self.local = local
        self.mechanisms = mechanisms
    }

    static func read(_ object: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> PKCS11KeyAttributes {
        PKCS11KeyAttributes(
            objectClass: name(try session.number(.objectClass, of: object), classes),
            keyType: name(try session.number(.keyType, of: object), types),
            sensitive: try session.flag(.sensitive, of: object),
            alwaysSensitive: try session.flag(.alwaysSensitive, of: object),
            extractable: try session.flag(.extractable, of: object),
            neverExtractable: try session.flag(.neverExtractable, of: object),
            local: try session.flag(.local, of: object),
            mechanisms: try session.allowedMechanisms(of: object)?.map { name(UInt($0.rawValue), mechanismNames) })
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
