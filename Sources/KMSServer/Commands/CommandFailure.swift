import Audit
import CoreFoundation
import EnclaveLock
import Glibc
import HSMBridge
import Keystores
import NIOCore
import SecretMemory

/// Why a verb ends: an exit code and a sentence that says what to do.
struct CommandFailure: Error, CustomStringConvertible {
    var status: ExitStatus
    /// Of a bounded set, for `--output json`.
    var code: String
    var description: String

    init(_ status: ExitStatus, code: String, _ message: String) {
        self.status = status
        self.code = code
        description = message
    }

    /// Gives any error its exit code.
    init(_ error: any Error) {
        switch error {
        case let error as CommandFailure: self = error
        case let error as ConfigurationError: self.init(.configuration, code: "configuration", error.message)
        case let error as HSMError:
            // Most messages begin with the call and what it returned.
            let isTold = error.cause.map { error.message.contains($0.name) } ?? true
            let cause = isTold ? "" : error.cause.map { " (\($0))" } ?? ""
            // A module that loads and does not initialise misses its token or its reader.
            let isAway = error.code == .moduleRefused && error.cause != nil
            self.init(isAway ? .unavailable : Self.status(error.code), code: error.code.rawValue, error.message + cause)
        case let error as KMSError:
            let isAway = error.code == .storageUnavailable || error.code == .tokenUnavailable
            let detail = error.detail.map { " \($0)" } ?? ""
            self.init(isAway ? .unavailable : .failed, code: error.code.rawValue, error.message + detail)
        case let error as AuditError:
            let isAway = error.code == .unavailable || error.code == .inUse || error.code == .overloaded
            self.init(isAway ? .unavailable : .failed, code: "audit-" + error.code.rawValue, error.message)
        case let error as EnclaveLockError:
            let isAway = error.code == .remoteFailed || error.code == .tokenFailed
            self.init(isAway ? .unavailable : .failed, code: error.code.rawValue, error.message)
        case let error as SecretMemoryError: self.init(.permission, code: "locked-memory", "\(error)")
        default: self.init(.failed, code: "failed", "\(error)")
        }
    }

    /// A listener that could not be opened.
    ///
    /// - Parameter setting: What says the address.
    init(listeningOn address: String, setting: String, _ error: IOError) {
        let hint =
            switch error.errnoCode {
            case EADDRINUSE: "another program listens there; stop it, or give another --\(setting)"
            case EACCES: "ports below 1024 need a privilege; give another --\(setting)"
            case EADDRNOTAVAIL: "this machine has no such address; give another --\(setting)"
            default: String(cString: strerror(error.errnoCode))
            }
        self.init(.unavailable, code: "listen", "Could not listen on \(address): \(hint).")
    }

    private static func status(_ code: HSMError.Code) -> ExitStatus {
        switch code {
        case .tokenUnavailable, .tokenNotFound, .overloaded, .deadlineExceeded: .unavailable
        case .pinRefused, .pinSourceRefused: .permission
        case .configurationRefused, .moduleRefused, .tokenMismatch, .keyMissing, .keyMismatch, .pcrMismatch,
            .keptValueMismatch:
            .configuration
        default: .failed
        }
    }
}
