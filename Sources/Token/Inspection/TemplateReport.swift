/// What became of a template of provisioning on a token: an object was made from it, looked at and destroyed.
public struct TemplateReport: Codable, Sendable, Equatable {
    /// What became of one attribute.
    public enum Outcome: String, Codable, Sendable {
        /// The object has the value that was asked for.
        case kept
        /// The token refuses templates that name it.
        case refused
        /// The object has another value.
        case altered
        /// The token took it and the object does not have it.
        case lost
        /// The token took it and does not show its value.
        case untold

        /// Whether the object is less than what was asked for.
        package var isWeaker: Bool { self == .altered || self == .lost }
    }

    public struct Attribute: Codable, Sendable, Equatable {
        /// The standard's spelling.
        public var name: String
        public var outcome: Outcome
        /// What the token answered instead of the value.
        public var detail: String?

        package init(name: String, outcome: Outcome, detail: String?) {
            self.name = name
            self.outcome = outcome
            self.detail = detail
        }
    }

    /// The key's kind, such as `AES-256-GCM`, or `data` for what the token keeps of the audit chain.
    public var name: String
    /// The roles that the template serves.
    public var roles: [String]
    /// `ok` if the token makes the object and keeps every attribute, `absent` if it makes no such object at all, `failed`
    /// if it refuses, alters or loses an attribute, or makes the object otherwise than it was asked to.
    public var outcome: ProbeReport.Outcome
    /// What the token answered to the whole template; nil if it took it.
    public var detail: String?
    public var attributes: [Attribute]

    package init(
        name: String, roles: [String], outcome: ProbeReport.Outcome, detail: String?, attributes: [Attribute]
    ) {
        self.name = name
        self.roles = roles
        self.outcome = outcome
        self.detail = detail
        self.attributes = attributes
    }
}
