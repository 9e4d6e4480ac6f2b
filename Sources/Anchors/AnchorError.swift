public import Token

/// Why an anchor could not be taken or used.
public struct AnchorError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The token is away, refused or failed; ``AnchorError/cause`` says how.
        public static let tokenFailed = Code(rawValue: "token-failed")
        /// The token's answer is not the anchor's multiple; nothing of it was released.
        public static let wrongAnswer = Code(rawValue: "wrong-answer")
        /// The token has no means to hold such a scalar.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The stored record does not open or is not of this token.
        public static let damaged = Code(rawValue: "damaged")
        /// No locked memory, or a scalar out of range.
        public static let internalFailure = Code(rawValue: "internal-failure")
    }

    public var code: Code
    /// For the operator.
    public var message: String
    public var cause: HSMError?

    public init(_ code: Code, _ message: String, cause: HSMError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        if let cause { "\(code.rawValue): \(message) [\(cause)]" } else { "\(code.rawValue): \(message)" }
    }
}
