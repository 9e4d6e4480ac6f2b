import Glibc
import Storage
import Synchronization

/// The chain's files: private, and written by one process.
final class AuditFiles: Sendable {
    private let lock: Mutex<Int32?>

    /// Makes the file if it is absent, refuses one that others may access, and takes the writer's lock until
    /// ``release()``. The lock is a file beside it: closing a descriptor of the database itself would drop SQLite's own locks.
    ///
    /// - Throws: `.inUse` or `.unavailable`; the message says what to do.
    init(writing path: String) throws(AuditError) {
        try AuditFailure.translating { try DatabaseFiles.prepare(path: path) }
        let name = path + ".lock"
        let lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.refused(name, String(cString: strerror(errno))) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw AuditError(.inUse, "Another process writes the audit chain '\(path)'; stop it first.")
        }
        self.lock = Mutex(lock)
    }

    deinit { release() }

    /// Lets another process write the chain.
    ///
    /// Unlocked and not only closed: a child that another thread has forked holds the descriptor until it runs its program.
    func release() {
        lock.withLock { lock in
            if let descriptor = lock {
                flock(descriptor, LOCK_UN)
                close(descriptor)
            }
            lock = nil
        }
    }

    private static func refused(_ path: String, _ reason: String) -> AuditError {
        AuditError(.unavailable, "The audit chain '\(path)' cannot be used: \(reason).")
    }
}
