public import EnclaveLock
import Encodings

/// The secret locks of the daemon.
public struct KeystoreLocks: Sendable {
    /// Seals what is the daemon's own; asked whether the daemon is ready.
    public let server: any SecretLock
    /// Seals the lock key of a new keystore whose maker names none.
    public let standard: any SecretLock
    /// Opens every keystore beside its own lock, and what is the daemon's own; nil in a home without lock slots.
    public let recovery: (any SecretLock)?
    /// Every lock, one of a kind; the first seals what is the daemon's own: that for recovery if there is one, else the
    /// server's.
    public let all: [any SecretLock]

    /// - Parameters:
    ///   - standard: The server's if nil.
    ///   - recovery: Opens with any lock slot of the home.
    ///   - others: Further ones that keystores may be locked with.
    public init(
        server: any SecretLock, standard: (any SecretLock)? = nil, recovery: (any SecretLock)? = nil,
        others: [any SecretLock] = []
    ) {
        self.server = server
        self.standard = standard ?? server
        self.recovery = recovery
        var all = [recovery ?? server]
        for lock in [server, self.standard] + others where !all.contains(where: { $0.kind == lock.kind }) {
            all.append(lock)
        }
        self.all = all
    }

    /// Seals what is the daemon's own.
    var own: any SecretLock { recovery ?? server }
    /// What may have sealed it.
    var ofTheDaemon: [any SecretLock] { [recovery, server].compactMap { $0 } }

    /// The same locks, timed.
    func measured(by meters: KeystoreMeters) -> KeystoreLocks {
        func measured(_ lock: any SecretLock) -> any SecretLock {
            MeasuredLock(lock: lock, meter: meters.meter, times: meters.locks.times(of: lock.kind))
        }
        return KeystoreLocks(
            server: measured(server), standard: measured(standard), recovery: recovery.map(measured),
            others: all.map(measured))
    }

    /// The lock that a maker of a keystore names.
    ///
    /// - Throws: ``KMSError`` with `.invalidArgument` naming what there is.
    func lock(named name: String?) throws -> any SecretLock {
        guard let name else { return standard }
        // The recovery lock comes beside another one, by the operator's choice and not by a caller's.
        let named = all.filter { $0.kind != .recovery }
        guard let lock = named.first(where: { $0.kind.name.isExactly(name) }) else {
            let names = named.map { "'\($0.kind.name)'" }.joined(separator: ", ")
            throw KMSError(.invalidArgument, "'lock' names no lock of this server; there is \(names).")
        }
        return lock
    }
}
