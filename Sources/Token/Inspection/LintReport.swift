/// What an inspection of a token's objects found.
public struct LintReport: Codable, Sendable, Equatable {
    public enum Grade: String, Codable, Sendable, Comparable {
        case ok, warning, bad

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .bad: 2
            }
        }

        public static func < (left: Grade, right: Grade) -> Bool { left.rank < right.rank }
    }

    /// One thing wrong with one object.
    public struct Finding: Codable, Sendable, Equatable {
        public var grade: Grade
        /// The attribute in the standard's spelling, such as `CKA_EXTRACTABLE`; two that must not meet are joined by +.
        public var attribute: String
        /// What is wrong and what follows from it.
        public var message: String

        package init(grade: Grade, attribute: String, message: String) {
            self.grade = grade
            self.attribute = attribute
            self.message = message
        }
    }

    public struct Object: Codable, Sendable, Equatable {
        /// The worst of the findings.
        public let grade: Grade
        /// `secret-key`, `private-key`, `public-key`, `certificate`, `data` or the class's number.
        public let objectClass: String
        public let label: String
        /// CKA_ID in hex.
        public let id: String
        /// Whether the manifest names the object.
        public let isManaged: Bool
        public let findings: [Finding]

        package init(objectClass: String, label: String, id: String, isManaged: Bool, findings: [Finding]) {
            grade = findings.map(\.grade).max() ?? .ok
            self.objectClass = objectClass
            self.label = label
            self.id = id
            self.isManaged = isManaged
            self.findings = findings
        }
    }

    /// The worst of everything.
    public let grade: Grade
    public let token: TokenIdentity
    public let objects: [Object]
    /// Findings about the token as a whole, such as a key that the manifest names and the token lacks.
    public let findings: [Finding]

    package init(token: TokenIdentity, objects: [Object], findings: [Finding]) {
        grade = (objects.map(\.grade) + findings.map(\.grade)).max() ?? .ok
        self.token = token
        self.objects = objects
        self.findings = findings
    }
}
