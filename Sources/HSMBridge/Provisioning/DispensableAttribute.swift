/// A restriction on the daemon's own keys that provisioning may do without on a token that refuses it.
///
/// That such a key can be neither read nor taken away and serves one purpose is never given up; these three only narrow
/// further what whoever is logged in could do with it.
public enum DispensableAttribute: String, Sendable, Codable, CaseIterable {
    case allowedMechanisms = "CKA_ALLOWED_MECHANISMS"
    case unwrapTemplate = "CKA_UNWRAP_TEMPLATE"
    case modifiable = "CKA_MODIFIABLE"

    init?(_ type: AttributeType) { self.init(rawValue: type.name) }

    var type: AttributeType {
        switch self {
        case .allowedMechanisms: .allowedMechanisms
        case .unwrapTemplate: .unwrapTemplate
        case .modifiable: .modifiable
        }
    }

    /// What follows from its absence, as the end of a sentence.
    public var consequence: String {
        switch self {
        case .allowedMechanisms: "whoever is logged in may use the key with every mechanism that its usage allows"
        case .unwrapTemplate:
            "whoever is logged in can unwrap resident keys as readable ones"
        case .modifiable: "whoever is logged in can give the key further uses"
        }
    }
}
