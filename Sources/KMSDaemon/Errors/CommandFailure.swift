import Audit
import CoreFoundation
import EnclaveLock
import Glibc
import KMSConfiguration
import Keystores
import Migration
package import NIOCore
import SecretMemory
import SplitKeys
import Storage
import Token

/// Why a verb ends: an exit code and a sentence that says what to do.
package struct CommandFailure: Error, CustomStringConvertible {
    package var status: ExitStatus
    /// Of a bounded set, for `--output json`.
    package var code: String
    package var description: String

    package init(_ status: ExitStatus, code: String, _ message: String) {
        self.status = status
        self.code = code
        description = message
    }

    /// Gives any error its exit code.
    package init(_ error: any Error) {
        self.init(named: error)
        // Whatever layer told it: a secret had no locked memory, which is nobody's setting.
        guard let cause = SecretMemoryError.last, status != .permission, status != .ok else { return }
        // An error of no known type has nothing to add.
        let words = code.utf8.elementsEqual("failed".utf8) ? "\(cause)" : "\(description) \(cause)"
        let isTold = description.containsText(SecretMemoryError.remedy)
        self.init(.permission, code: "locked-memory", isTold ? description : words)
    }

    private init(named error: any Error) {
        switch error {
        case let error as CommandFailure: self = error
        case let error as ConfigurationError:
            self.init(error.isAboutRights ? .permission : .configuration, code: "configuration", error.message)
        case let error as SecretFileError:
            self.init(error.isAboutRights ? .permission : .configuration, code: "secret-file", error.message)
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
            self.init(
                Self.status(ofStore: error.underlying) ?? (isAway ? .unavailable : .failed), code: error.code.rawValue,
                error.message + detail)
        case let error as SplitKeyError:
            let isAway = error.code == .storageUnavailable || error.code == .tokenUnavailable
            let detail = error.detail.map { ": \($0)" } ?? ""
            self.init(
                Self.status(ofStore: error.underlying) ?? (isAway ? .unavailable : .failed), code: error.code.rawValue,
                error.message + detail)
        case let error as StorageError:
            self.init(
                Self.status(ofStore: error) ?? .unavailable, code: "storage-unavailable", error.message)
        case let error as AuditError:
            let isAway = error.code == .unavailable || error.code == .inUse || error.code == .overloaded
            // Who starts the daemon again and again mends no chain.
            let status: ExitStatus = isAway ? .unavailable : error.code == .damaged ? .configuration : .failed
            self.init(
                Self.status(ofStore: error.underlying) ?? status, code: "audit-" + error.code.rawValue, error.message)
        case let error as MigrationError:
            self.init(.failed, code: "migration-" + error.code.rawValue, error.message)
        case let error as EnclaveLockError:
            self.init(Self.status(error), code: error.code.rawValue, error.message)
        case let error as SecretMemoryError: self.init(.permission, code: "locked-memory", "\(error)")
        default: self.init(.failed, code: "failed", PlainReason.of(error))
        }
    }

    /// A listener that could not be opened.
    ///
    /// - Parameter setting: What says the address.
    package init(listeningOn address: String, setting: String, _ error: IOError) {
        let hint =
            switch error.errnoCode {
            case EADDRINUSE: "another program listens there; stop it, or give another --\(setting)"
            case EACCES: "ports below 1024 need a privilege; give another --\(setting)"
            case EADDRNOTAVAIL: "this machine has no such address; give another --\(setting)"
            default: String(cString: strerror(error.errnoCode))
            }
        self.init(.unavailable, code: "listen", "Could not listen on \(address): \(hint).")
    }

    /// Of a database that no later try finds otherwise; nil for another error.
    private static func status(ofStore error: (any Error)?) -> ExitStatus? {
        switch (error as? StorageError)?.kind {
        case .unfit: .configuration
        case .closed: .permission
        case .away, nil: nil
        }
    }

    private static func status(_ error: EnclaveLockError) -> ExitStatus {
        switch error.code {
        case .remoteFailed, .tokenFailed: .unavailable
        case .configurationRefused: error.isAboutRights ? .permission : .configuration
        default: .failed
        }
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

extension String {
    fileprivate func containsText(_ text: String) -> Bool {
        let (own, wanted) = (Array(utf8), Array(text.utf8))
        guard own.count >= wanted.count else { return false }
        return (0...(own.count - wanted.count)).contains { own[$0...].starts(with: wanted) }
    }
}
