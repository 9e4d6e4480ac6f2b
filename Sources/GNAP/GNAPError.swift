/// Why a request is not accepted under GNAP.
public struct GNAPError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No token, one of another form, or one that is not active.
        public static let tokenRefused = Code(rawValue: "token-refused")
        /// The request's signature is absent, covers too little, or is not of the token's key.
        public static let signatureRefused = Code(rawValue: "signature-refused")
        /// The request may be right, but it cannot be remembered now that its signature was used.
        public static let exhausted = Code(rawValue: "exhausted")
        /// The authorization server gave no answer that can be read.
        public static let introspectionFailed = Code(rawValue: "introspection-failed")
        /// The signing key cannot be used.
        public static let keyRefused = Code(rawValue: "key-refused")
    }

    public var code: Code
    /// What failed; never a token or a key.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
