import Glibc

/// Makes sure that nobody else can read the database's files.
package enum DatabaseFiles {
    /// The file and those that SQLite keeps beside it.
    static func names(of path: String) -> [String] { [path, path + "-wal", path + "-shm", path + "-journal"] }

    /// Creates the file with mode 0600 if it is absent and refuses one that others may access. SQLite gives its
    /// companion files the same mode.
    ///
    /// - Throws: ``StorageError``, which says what to do.
    package static func prepare(path: String) throws(StorageError) {
        func refused(_ reason: String, _ kind: StorageError.Kind = .closed) -> StorageError {
            StorageError("Could not use '\(path)': \(reason)", kind: kind)
        }
        guard !path.isEmpty else { throw refused("the path is empty.") }
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == ELOOP { throw refused("it is a symbolic link; give the file itself.") }
            let code = errno
            throw refused(
                "\(String(cString: strerror(code))); check that the directory exists and may be written.",
                // Full disks and tables of descriptors have room again by themselves.
                [EACCES, EPERM, EROFS].contains(code)
                    ? .closed : [ENOENT, ENOTDIR, EISDIR].contains(code) ? .unfit : .away)
        }
        defer { close(descriptor) }
        for name in names(of: path) {
            var status = stat()
            guard lstat(name, &status) == 0 else { continue }
            guard status.st_mode & S_IFMT == S_IFREG else { throw refused("'\(name)' is not a regular file.") }
            guard status.st_uid == geteuid() else { throw refused("'\(name)' belongs to another user.") }
            guard status.st_mode & 0o077 == 0 else {
                throw refused("group or others may access '\(name)'; run chmod 600 on it.")
            }
        }
    }
}
