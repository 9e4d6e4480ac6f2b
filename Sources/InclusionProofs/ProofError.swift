/// Why a proof shows nothing. No message repeats the proof; a caller that must distinguish cases uses the code.
public struct ProofError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes are no proof: a truncated, unknown, repeated or oversized part.
        public static let malformed = Code(rawValue: "proof-malformed")
        /// A proof of a kind that is not accepted here: batch, compressed, non-existence, another hash.
        public static let unsupported = Code(rawValue: "proof-unsupported")
        /// Well formed, and not below this root, or of another key or value.
        public static let wrong = Code(rawValue: "proof-wrong")
    }

    public var code: Code
    /// What failed, on which part.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }

    static func malformed(_ message: String) -> ProofError { ProofError(.malformed, message) }
    static func unsupported(_ message: String) -> ProofError { ProofError(.unsupported, message) }
    static func wrong(_ message: String) -> ProofError { ProofError(.wrong, message) }
}
