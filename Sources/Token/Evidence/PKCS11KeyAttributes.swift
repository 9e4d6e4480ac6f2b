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
}
