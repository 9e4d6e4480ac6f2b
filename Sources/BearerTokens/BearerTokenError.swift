/// Why a token is not accepted.
public struct BearerTokenError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No token of the expected form.
        public static let malformed = Code(rawValue: "malformed")
        /// The signature is not of a configured key and algorithm.
        public static let signatureInvalid = Code(rawValue: "signature-invalid")
        /// The token's time has not come or is over, or it is for somebody else.
        public static let claimsRefused = Code(rawValue: "claims-refused")
        /// The keys cannot be fetched now.
        public static let keysUnavailable = Code(rawValue: "keys-unavailable")
    }

    public var code: Code
    /// For the caller; never part of the token. A wrong signature says `invalid signature`.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
