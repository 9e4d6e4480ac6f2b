public import HSMBridge

/// Why a secret could not be sealed or opened.
///
/// Wrong key, wrong identity, altered and truncated are one code, one message and one path: whoever can submit records
/// learns nothing from the answer.
public struct EnclaveLockError: Error, Sendable, CustomStringConvertible {
    /// An open set: new codes break nobody.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The sealed bytes do not open under this lock and identity.
        public static let openingFailed = Code(rawValue: "opening-failed")
        /// None of the record's slots belongs to the given locks.
        public static let noMatchingSlot = Code(rawValue: "no-matching-slot")
        /// The token behind the lock refused or failed; ``EnclaveLockError/cause`` says how.
        public static let tokenFailed = Code(rawValue: "token-failed")
        /// The lock's configuration cannot be used.
        public static let configurationRefused = Code(rawValue: "configuration-refused")
        /// The caller passed something outside the documented shape.
        public static let invalidArgument = Code(rawValue: "invalid-argument")
        /// The caller presents no share, or no name, for a keystore that needs them; the message is for him.
        public static let shareMissing = Code(rawValue: "share-missing")
        /// The caller's share and the Auth server's do not open the record.
        public static let shareRefused = Code(rawValue: "share-refused")
        /// Another server that takes part in the lock failed or refused; the message holds what it said and no secret.
        public static let remoteFailed = Code(rawValue: "remote-failed")
        /// No locked memory, or the cryptographic library failed.
        public static let internalFailure = Code(rawValue: "internal-failure")
    }

    public var code: Code
    /// For the operator; never key bytes.
    public var message: String
    /// The token's error, if it caused this one.
    public var cause: HSMError?

    public init(_ code: Code, _ message: String, cause: HSMError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The one error of everything that does not open.
    static let doesNotOpen = EnclaveLockError(.openingFailed, "The sealed record does not open.")

    public var description: String {
        if let cause { "\(code.rawValue): \(message) [\(cause)]" } else { "\(code.rawValue): \(message)" }
    }
}
