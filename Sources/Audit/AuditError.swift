/// Why the audit chain did not take or give a record.
public struct AuditError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The chain cannot be written or read now.
        public static let unavailable = Code(rawValue: "unavailable")
        /// Too many records wait.
        public static let overloaded = Code(rawValue: "overloaded")
        /// The chain is not what was written.
        public static let damaged = Code(rawValue: "damaged")
        /// Another process writes this chain.
        public static let inUse = Code(rawValue: "in-use")
        /// The chain is not the one, or not as long as the one, that the token remembers; or that is not known yet.
        public static let untrusted = Code(rawValue: "untrusted")
        /// A database is older than the chain records, or missing.
        public static let olderDatabase = Code(rawValue: "older-database")
        /// A database is not what was written: its seal does not hold.
        public static let alteredDatabase = Code(rawValue: "altered-database")
        /// The event or receipt is not of the documented shape.
        public static let invalidArgument = Code(rawValue: "invalid-argument")
    }

    public var code: Code
    /// For the operator.
    public var message: String
    /// What the database said, where it could not be opened.
    public var underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
