public import EnclaveLock
import Encodings

/// The secret locks of the daemon.
public struct KeystoreLocks: Sendable {
    /// Seals what is the daemon's own; asked whether the daemon is ready.
    public let server: any SecretLock
    /// Seals the lock key of a new keystore whose maker names none.
    public let standard: any SecretLock
    /// Every lock, the server's first, one of a kind.
    public let all: [any SecretLock]

    /// - Parameters:
    ///   - standard: The server's if nil.
    ///   - others: Further ones that keystores may be locked with.
    public init(server: any SecretLock, standard: (any SecretLock)? = nil, others: [any SecretLock] = []) {
        self.server = server
        self.standard = standard ?? server
        var all = [server]
        for lock in [self.standard] + others where !all.contains(where: { $0.kind == lock.kind }) { all.append(lock) }
        self.all = all
    }

    /// The same locks, timed.
    func measured(by meters: KeystoreMeters) -> KeystoreLocks {
        func measured(_ lock: any SecretLock) -> any SecretLock {
            MeasuredLock(lock: lock, meter: meters.meter, times: meters.locks.times(of: lock.kind))
        }
        return KeystoreLocks(server: measured(server), standard: measured(standard), others: all.map(measured))
    }

    /// The lock that a maker of a keystore names.
    ///
    /// - Throws: ``KMSError`` with `.invalidArgument` naming what there is.
    func lock(named name: String?) throws -> any SecretLock {
        guard let name else { return standard }
        guard let lock = all.first(where: { $0.kind.name.isExactly(name) }) else {
            let names = all.map { "'\($0.kind.name)'" }.joined(separator: ", ")
            throw KMSError(.invalidArgument, "'lock' names no lock of this server; there is \(names).")
        }
        return lock
    }
}
