import LibCrypto

/// Why a key could not be made, read or used.
public struct WorkingKeyError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is; new codes may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller's key, message or identifier has a wrong form; the message says how.
        public static let invalidArgument = Code(rawValue: "invalidArgument")
        /// The key's type does not do this.
        public static let unsupportedOperation = Code(rawValue: "unsupportedOperation")
        /// No version of the key made this signature or MAC over this message.
        public static let verificationFailed = Code(rawValue: "verificationFailed")
        /// No version of the key opens this ciphertext; the one answer to every cause.
        public static let decryptionFailed = Code(rawValue: "decryptionFailed")
        /// Locked memory for private keys is used up; closing keys gives it back.
        public static let capacityExceeded = Code(rawValue: "capacityExceeded")
        /// A library failed where the caller cannot be the reason, or stored material is damaged.
        public static let internalFailure = Code(rawValue: "internalFailure")
    }

    public var code: Code
    /// What failed, fit for the caller; never key bytes.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static let verificationFailed = WorkingKeyError(.verificationFailed, "The signature does not verify.")
    static let decryptionFailed = WorkingKeyError(.decryptionFailed, "The ciphertext does not decrypt.")
    static let proofFailed = WorkingKeyError(.verificationFailed, "The proof does not verify.")
    static let macFailed = WorkingKeyError(.verificationFailed, "The MAC does not verify.")

    static func unsupported(_ operation: KeyOperation, _ type: KeyType) -> WorkingKeyError {
        WorkingKeyError(.unsupportedOperation, "A key of type \(type.rawValue) does not serve '\(operation.rawValue)'.")
    }

    /// Runs a library call and puts its error into this target's terms.
    static func translating<R: ~Copyable>(
        _ body: () throws(LibCryptoError) -> R
    ) throws(WorkingKeyError) -> R {
        do throws(LibCryptoError) {
            return try body()
        } catch {
            throw WorkingKeyError(error)
        }
    }

    init(_ error: LibCryptoError) {
        switch error.code {
        case .invalidInput: self.init(.invalidArgument, error.message)
        case .capacityExceeded: self.init(.capacityExceeded, error.message)
        default: self.init(.internalFailure, error.message)
        }
    }
}
