import Glibc
import Synchronization

/// The chain's files: private, and written by one process.
final class AuditFiles: Sendable {
    private let lock: Mutex<Int32?>

    /// Makes the file if it is absent, refuses one that others may access, and takes the writer's lock until
    /// ``release()``. The lock is a file beside it: closing a descriptor of the database itself would drop SQLite's own locks.
    ///
    /// - Throws: `.inUse` or `.unavailable`; the message says what to do.
    init(writing path: String) throws(AuditError) {
        try Self.prepare(path)
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
    func release() {
        lock.withLock { lock in
            if let descriptor = lock { close(descriptor) }
            lock = nil
        }
    }

    /// Refuses what is not a regular file of this user that others cannot access; makes an absent file with mode 0600.
    /// SQLite gives its companion files the same mode.
    private static func prepare(_ path: String) throws(AuditError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw refused(
                path,
                errno == ELOOP
                    ? "it is a symbolic link; give the file itself"
                    : "\(String(cString: strerror(errno))); check that the directory exists and may be written")
        }
        defer { close(descriptor) }
        for name in [path, path + "-wal", path + "-shm"] {
            var status = stat()
            guard lstat(name, &status) == 0 else { continue }
            guard status.st_mode & S_IFMT == S_IFREG else { throw refused(name, "it is not a regular file") }
            guard status.st_uid == geteuid() else { throw refused(name, "it belongs to another user") }
            guard status.st_mode & 0o077 == 0 else {
                throw refused(name, "group or others may access it; run chmod 600 on it")
            }
        }
    }

    private static func refused(_ path: String, _ reason: String) -> AuditError {
        AuditError(.unavailable, "The audit chain '\(path)' cannot be used: \(reason).")
    }
}
