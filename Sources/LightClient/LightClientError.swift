/// Why a header is not trusted. No message repeats a reply's text; a caller that must distinguish cases uses the code.
public struct LightClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes are no reply of a node, or no stored state: a part is missing, repeated, oversized or of another form.
        public static let malformed = Code(rawValue: "chain-malformed")
        /// A setting that would make the verification worthless.
        public static let settings = Code(rawValue: "chain-settings")
        /// The node answered with an error of its own.
        public static let refused = Code(rawValue: "chain-refused")
        /// A source gave no answer in time, or none at all.
        public static let unavailable = Code(rawValue: "chain-unavailable")
        /// Well formed, and against the rules: a hash, a signature, a time, a validator set that does not fit.
        public static let invalid = Code(rawValue: "chain-invalid")
        /// Too little of the trusted power has signed: not a failure, but a reason to look at a header in between.
        public static let notEnoughTrust = Code(rawValue: "chain-not-enough-trust")
        /// What is trusted is older than the trusting period: only the operators can give a new start.
        public static let expired = Code(rawValue: "chain-trust-expired")
        /// The latest trusted header is too old to say what holds now: its chain stands still, or a node keeps back what is newer.
        public static let stale = Code(rawValue: "chain-stale")
        /// This machine's clock is behind the chain.
        public static let clock = Code(rawValue: "chain-clock")
        /// The height is above the latest trusted header, or too far below it.
        public static let height = Code(rawValue: "chain-height")
        /// A witness has another header at a height, which it could not prove.
        public static let conflict = Code(rawValue: "chain-conflict")
        /// Two headers of one height, both with the signatures that trust asks for: the chain has forked.
        public static let fork = Code(rawValue: "chain-fork")
    }

    public var code: Code
    /// What failed, on which part.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }

    static func malformed(_ message: String) -> LightClientError { LightClientError(.malformed, message) }
    static func invalid(_ message: String) -> LightClientError { LightClientError(.invalid, message) }
    static func settings(_ message: String) -> LightClientError { LightClientError(.settings, message) }
}
