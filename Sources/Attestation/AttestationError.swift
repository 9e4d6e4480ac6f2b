/// Why something is no attestation, or why none is given.
public struct AttestationError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes do not have the documented form.
        public static let malformed = Code(rawValue: "malformed")
        /// The token does not sign now.
        public static let unavailable = Code(rawValue: "unavailable")
    }

    public var code: Code
    /// For whoever asked.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
