import CDispatch
import CoreFoundation
import Glibc

/// The directory of the daemon's state: private to its user, and one daemon's at a time.
package struct HomeDirectory: ~Copyable {
    package let path: String
    private let lock: Int32

    /// Makes the directory if needed and takes its lock until the value dies.
    ///
    /// - Throws: ``CommandFailure`` if others can enter it, or if another process has it.
    package init(taking path: String) throws {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw CommandFailure(
                .permission, code: "home", "Could not make '\(path)': \(String(cString: strerror(errno)))")
        }
        try Self.check(path)
        let name = path + "/kmsd.lock"
        let lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw CommandFailure(
                .permission, code: "home", "Could not open '\(name)': \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw CommandFailure(
                .unavailable, code: "home", "Another kmsd uses '\(path)'; stop it or give another --home.")
        }
        self.path = path
        self.lock = lock
    }

    // Unlocked first: a child that another thread has forked holds the descriptor until it runs its program.
    deinit {
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// Whether a process works on this home now.
    static func isTaken(_ path: String) -> Bool {
        let lock = open(path + "/kmsd.lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        return flock(lock, LOCK_SH | LOCK_NB) != 0
    }

    /// - Throws: ``CommandFailure`` unless it is a directory of this user that nobody else can enter.
    package static func check(_ path: String) throws {
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw CommandFailure(
                .configuration, code: "home",
                "The home directory '\(path)' cannot be used: \(String(cString: strerror(errno))). Run `kmsd init`, or "
                    + "give --home or KMSD_HOME.")
        }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(.configuration, code: "home", "'\(path)' is not a directory.")
        }
        guard info.st_uid == geteuid(), info.st_mode & 0o077 == 0 else {
            throw CommandFailure(
                .permission, code: "home", "'\(path)' must belong to this user and be closed to others; chmod 700 it.")
        }
    }
}
