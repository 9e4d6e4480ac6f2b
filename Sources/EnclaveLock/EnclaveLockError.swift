import LibCrypto
import SecretMemory
public import Token

/// Why a secret could not be sealed or opened.
///
/// Wrong key, wrong identity, altered and truncated are one code, one message and one path: whoever can submit records
/// learns nothing from the answer.
public struct EnclaveLockError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
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
        /// The caller does not say whose share the Auth server shall give, for a keystore that needs it.
        public static let userMissing = Code(rawValue: "user-missing")
        /// The caller presents no share for a keystore that needs one.
        public static let shareMissing = Code(rawValue: "share-missing")
        /// The caller's share and the Auth server's do not open the record.
        public static let shareRefused = Code(rawValue: "share-refused")
        /// The caller's share can be none of a new keystore's; the message is for the caller.
        public static let shareUnusable = Code(rawValue: "share-unusable")
        /// Another server that takes part in the lock failed or refused; the message holds what it said and no secret.
        public static let remoteFailed = Code(rawValue: "remote-failed")
        /// There is no locked memory for a secret now.
        public static let memoryExhausted = Code(rawValue: "memory-exhausted")
        /// The cryptographic library failed.
        public static let internalFailure = Code(rawValue: "internal-failure")
    }

    public var code: Code
    /// For the operator; never key bytes.
    public var message: String
    /// The token's error, if it caused this one.
    public var cause: HSMError?
    /// Whether the setting is right and the file it names cannot be read as a secret must be.
    public var isAboutRights = false
    /// Of another server's failure: whether it is likely to pass without anybody changing anything.
    public var isPassing: Bool

    public init(_ code: Code, _ message: String, cause: HSMError? = nil, isPassing: Bool = false) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isPassing = isPassing
    }

    /// A failure that says nothing about the record.
    static func failed(_ what: String, _ error: any Error) -> EnclaveLockError {
        let isMemory = error is SecretMemoryError || (error as? LibCryptoError)?.code == .capacityExceeded
        return EnclaveLockError(isMemory ? .memoryExhausted : .internalFailure, "\(what): \(error)")
    }

    /// The one error of everything that does not open.
    static let doesNotOpen = EnclaveLockError(.openingFailed, "The sealed record does not open.")

    public var description: String {
        if let cause { "\(code.rawValue): \(message) [\(cause)]" } else { "\(code.rawValue): \(message)" }
    }
}
