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
        /// The attribute in the standard's spelling, such as `CKA_EXTRACTABLE`.
        public var attribute: String
        /// What is wrong and what follows from it.
        public var message: String
    }

    public struct Object: Codable, Sendable, Equatable {
        /// `secret-key`, `private-key`, `public-key` or the class's number.
        public var objectClass: String
        public var label: String
        /// CKA_ID in hex.
        public var id: String
        /// Whether the manifest names the object.
        public var isManaged: Bool
        public var findings: [Finding]

        public var grade: Grade { findings.map(\.grade).max() ?? .ok }
    }

    public var token: TokenIdentity
    public var objects: [Object]
    /// Findings about the token as a whole, such as a key that the manifest names and the token lacks.
    public var findings: [Finding]

    public var grade: Grade { (objects.map(\.grade) + findings.map(\.grade)).max() ?? .ok }
}
