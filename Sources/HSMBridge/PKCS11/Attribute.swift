import CP11Kit

/// A PKCS #11 attribute type.
struct AttributeType: RawRepresentable, Hashable, Sendable {
    let rawValue: CK_ATTRIBUTE_TYPE

    static let objectClass = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_CLASS))
    static let keyType = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_KEY_TYPE))
    static let token = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_TOKEN))
    static let `private` = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_PRIVATE))
    static let label = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_LABEL))
    static let id = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_ID))
    static let value = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_VALUE))
    static let valueLength = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_VALUE_LEN))
    static let sensitive = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_SENSITIVE))
    static let extractable = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_EXTRACTABLE))
    static let alwaysSensitive = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_ALWAYS_SENSITIVE))
    static let neverExtractable = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_NEVER_EXTRACTABLE))
    static let local = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_LOCAL))
    static let modifiable = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_MODIFIABLE))
    static let encrypt = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_ENCRYPT))
    static let decrypt = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_DECRYPT))
    static let wrap = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_WRAP))
    static let unwrap = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_UNWRAP))
    static let sign = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_SIGN))
    static let verify = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_VERIFY))
    static let derive = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_DERIVE))
    static let trusted = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_TRUSTED))
    static let wrapWithTrusted = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_WRAP_WITH_TRUSTED))
    static let checkValue = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_CHECK_VALUE))
    static let ecParameters = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_EC_PARAMS))
    static let ecPoint = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_EC_POINT))
    static let allowedMechanisms = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_ALLOWED_MECHANISMS))
    static let unwrapTemplate = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_UNWRAP_TEMPLATE))
    static let modulus = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_MODULUS))
    static let prime = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_PRIME))
    static let signRecover = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_SIGN_RECOVER))
    static let verifyRecover = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_VERIFY_RECOVER))
    static let copyable = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_COPYABLE))
    static let destroyable = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_DESTROYABLE))
    static let alwaysAuthenticate = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_ALWAYS_AUTHENTICATE))
    static let wrapTemplate = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_WRAP_TEMPLATE))
    static let deriveTemplate = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_DERIVE_TEMPLATE))
    static let startDate = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_START_DATE))
    static let endDate = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_END_DATE))
    static let subject = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_SUBJECT))
    static let issuer = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_ISSUER))
    static let serialNumber = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_SERIAL_NUMBER))
    static let certificateType = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_CERTIFICATE_TYPE))
    static let certificateCategory = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_CERTIFICATE_CATEGORY))
    static let publicExponent = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_PUBLIC_EXPONENT))
    static let modulusBits = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_MODULUS_BITS))
    static let application = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_APPLICATION))
    static let objectID = Self(rawValue: CK_ATTRIBUTE_TYPE(CKA_OBJECT_ID))
    /// CKA_NSS_DB, a vendor's: NSS takes no EC private key without the raw public point in it.
    static let nssPublicPoint = Self(rawValue: 0xD5A0_DB00)

    /// The standard's spelling, such as `CKA_EXTRACTABLE`; hexadecimal for one without a name here.
    var name: String { Self.names[self] ?? "0x" + String(rawValue, radix: 16) }

    private static let names: [AttributeType: String] = [
        .objectClass: "CKA_CLASS", .keyType: "CKA_KEY_TYPE", .token: "CKA_TOKEN", .private: "CKA_PRIVATE",
        .label: "CKA_LABEL", .id: "CKA_ID", .value: "CKA_VALUE", .valueLength: "CKA_VALUE_LEN",
        .sensitive: "CKA_SENSITIVE", .extractable: "CKA_EXTRACTABLE", .alwaysSensitive: "CKA_ALWAYS_SENSITIVE",
        .neverExtractable: "CKA_NEVER_EXTRACTABLE", .local: "CKA_LOCAL", .modifiable: "CKA_MODIFIABLE",
        .encrypt: "CKA_ENCRYPT", .decrypt: "CKA_DECRYPT", .wrap: "CKA_WRAP", .unwrap: "CKA_UNWRAP",
        .sign: "CKA_SIGN", .verify: "CKA_VERIFY", .derive: "CKA_DERIVE", .trusted: "CKA_TRUSTED",
        .wrapWithTrusted: "CKA_WRAP_WITH_TRUSTED", .checkValue: "CKA_CHECK_VALUE", .ecParameters: "CKA_EC_PARAMS",
        .ecPoint: "CKA_EC_POINT", .allowedMechanisms: "CKA_ALLOWED_MECHANISMS",
        .unwrapTemplate: "CKA_UNWRAP_TEMPLATE", .modulus: "CKA_MODULUS", .prime: "CKA_PRIME",
        .signRecover: "CKA_SIGN_RECOVER", .verifyRecover: "CKA_VERIFY_RECOVER", .copyable: "CKA_COPYABLE",
        .destroyable: "CKA_DESTROYABLE", .alwaysAuthenticate: "CKA_ALWAYS_AUTHENTICATE",
        .wrapTemplate: "CKA_WRAP_TEMPLATE", .deriveTemplate: "CKA_DERIVE_TEMPLATE", .startDate: "CKA_START_DATE",
        .endDate: "CKA_END_DATE", .subject: "CKA_SUBJECT", .issuer: "CKA_ISSUER", .serialNumber: "CKA_SERIAL_NUMBER",
        .certificateType: "CKA_CERTIFICATE_TYPE", .certificateCategory: "CKA_CERTIFICATE_CATEGORY",
        .publicExponent: "CKA_PUBLIC_EXPONENT", .modulusBits: "CKA_MODULUS_BITS", .application: "CKA_APPLICATION",
        .objectID: "CKA_OBJECT_ID",
    ]
}

/// One attribute with its value.
indirect enum Attribute: Hashable, Sendable {
    case flag(AttributeType, Bool)
    case number(AttributeType, UInt)
    case bytes(AttributeType, [UInt8])
    /// CKA_ALLOWED_MECHANISMS: the key refuses every other mechanism, even one its usage flags would allow.
    case allowedMechanisms([MechanismType])
    /// A template inside a template, such as CKA_UNWRAP_TEMPLATE.
    case template(AttributeType, [Attribute])

    static func objectClass(_ value: ObjectClass) -> Attribute { .number(.objectClass, value.rawValue) }
    static func keyType(_ value: KeyType) -> Attribute { .number(.keyType, value.rawValue) }
    static func label(_ text: String) -> Attribute { .bytes(.label, Array(text.utf8)) }

    var type: AttributeType {
        switch self {
        case .flag(let type, _), .number(let type, _), .bytes(let type, _), .template(let type, _): type
        case .allowedMechanisms: .allowedMechanisms
        }
    }
}

/// CKO_*.
struct ObjectClass: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt
    static let publicKey = Self(rawValue: UInt(CKO_PUBLIC_KEY))
    static let privateKey = Self(rawValue: UInt(CKO_PRIVATE_KEY))
    static let secretKey = Self(rawValue: UInt(CKO_SECRET_KEY))
    static let certificate = Self(rawValue: UInt(CKO_CERTIFICATE))
    static let data = Self(rawValue: UInt(CKO_DATA))
}

/// CKK_*.
struct KeyType: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt
    static let aes = Self(rawValue: UInt(CKK_AES))
    static let genericSecret = Self(rawValue: UInt(CKK_GENERIC_SECRET))
    static let ec = Self(rawValue: UInt(CKK_EC))
    static let rsa = Self(rawValue: UInt(CKK_RSA))
    static let dsa = Self(rawValue: UInt(CKK_DSA))
    static let dh = Self(rawValue: UInt(CKK_DH))
    static let x942DH = Self(rawValue: UInt(CKK_X9_42_DH))
    /// PKCS #11 3.0; absent from the 2.40 header.
    static let edwards = Self(rawValue: 0x40)
}
