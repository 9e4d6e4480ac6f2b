/// Why a migration does not go on.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public var rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A record has no form for the target, or was changed since it got one: run the migration again.
        public static let notMoved = Code(rawValue: "not-moved")
        /// The two tokens do not open the same.
        public static let notSame = Code(rawValue: "not-same")
        /// A transcript that was not written so, or not signed.
        public static let transcript = Code(rawValue: "transcript")
    }

    public var code: Code
    /// What is wrong with which record or line, and what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
