import EnclaveLock
import LibCrypto
import SecretMemory
import Token
import WorkingKeys

extension KMSError {
    /// Puts a lower layer's error into the domain's terms. The lower layer's words go to the operator only.
    static func translate(_ error: any Error) -> KMSError {
        switch error {
        case let error as KMSError: error
        case let error as EnclaveLockError: KMSError(lock: error)
        case let error as HSMError: KMSError(token: error)
        case let error as WorkingKeyError: KMSError(key: error)
        case let error as LibCryptoError where error.code == .capacityExceeded: noMemory(error)
        case let error as LibCryptoError: KMSError(.internal, "An internal error occurred.", underlying: error)
        case let error as SecretMemoryError: noMemory(error)
        case is CancellationError: KMSError(.deadlineExceeded, "The request was cancelled before it was done.")
        default: KMSError(.internal, "An internal error occurred.", underlying: error)
        }
    }

    private static func noMemory(_ error: any Error) -> KMSError {
        KMSError(.overloaded, "No locked memory is left; try again.", underlying: error)
    }

    private init(lock error: EnclaveLockError) {
        if let cause = error.cause {
            self.init(token: cause)
            return
        }
        switch error.code {
        case .tokenFailed, .internalFailure, .invalidArgument:
            self.init(.internal, "An internal error occurred.", underlying: error)
        case .memoryExhausted: self = Self.noMemory(error)
        case .userMissing, .shareMissing: self.init(.invalidArgument, error.message, underlying: error)
        case .shareUnusable: self.init(.invalidArgument, error.message)
        case .shareRefused: self.init(.permissionDenied, error.message)
        case .remoteFailed: self.init(.upstreamFailed, error.message, isPassing: error.isPassing)
        case .configurationRefused:
            self.init(.tokenUnavailable, "The secret lock is not available now.", underlying: error)
        default:
            self.init(
                .keystoreLocked, "The keystore cannot be opened with the daemon's secret lock.", underlying: error)
        }
    }

    private init(token error: HSMError) {
        switch error.code {
        case .mechanismUnsupported:
            self.init(.mechanismUnsupported, "The token cannot do this operation.", underlying: error)
        case .overloaded: self.init(.overloaded, "Too many requests wait for the token; try again.", underlying: error)
        case .deadlineExceeded: self.init(.deadlineExceeded, "The token did not answer in time.", underlying: error)
        case .inputTooLong:
            self.init(
                .invalidArgument,
                "The token takes no input of this length for this operation; send less, or use a 'sealed' keystore.",
                underlying: error)
        // The device's word against ours: it cannot do what others can.
        case .invalidArgument where error.cause != nil:
            self.init(.mechanismUnsupported, "The token cannot do this operation.", underlying: error)
        case .invalidArgument, .authenticationFailed:
            self.init(.internal, "An internal error occurred.", underlying: error)
        default: self.init(.tokenUnavailable, "The token is not available now.", underlying: error)
        }
    }

    private init(key error: WorkingKeyError) {
        switch error.code {
        case .invalidArgument, .unsupportedOperation: self.init(.invalidArgument, error.message)
        case .verificationFailed: self.init(.signatureInvalid, error.message)
        case .decryptionFailed: self.init(.ciphertextInvalid, error.message)
        case .capacityExceeded:
            self.init(.overloaded, "No locked memory for keys is left; try again.", underlying: error)
        default: self.init(.internal, "An internal error occurred.", underlying: error)
        }
    }

    static func noKeystore(_ id: String) -> KMSError { KMSError(.notFound, "There is no keystore '\(id)'.") }
    static func noKey(_ id: String) -> KMSError { KMSError(.notFound, "There is no key '\(id)' in this keystore.") }

    static func damaged(_ what: String, _ underlying: (any Error)? = nil) -> KMSError {
        KMSError(
            .internal, "The stored record of \(what) is damaged and was not used.",
            detail: "it does not authenticate or does not open; restore it from a backup", underlying: underlying)
    }
}
