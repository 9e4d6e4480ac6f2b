import Glibc

/// Decides whether a file may be loaded as a token module.
enum ModulePath {
    /// Resolves links and checks the file that would really be loaded.
    ///
    /// A module runs with every right of the daemon and sees the PIN, so nobody but root or the daemon's own user may
    /// be able to replace it.
    ///
    /// - Returns: The canonical path: the same file is never loaded under two names.
    /// - Throws: `.moduleRefused`.
    static func validated(_ path: String) throws(HSMError) -> String {
        guard path.hasPrefix("/") else {
            throw HSMError(.moduleRefused, "The module path '\(path)' is not absolute.")
        }
        guard let resolved = realpath(path, nil) else {
            throw HSMError(.moduleRefused, "The module '\(path)' cannot be found: \(String(cString: strerror(errno))).")
        }
        defer { free(resolved) }
        let canonical = String(cString: resolved)
        try refuse(unsafe: canonical, expecting: mode_t(S_IFREG), "a regular file")
        let directory = canonical.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        try refuse(unsafe: directory.isEmpty ? "/" : directory, expecting: mode_t(S_IFDIR), "a directory")
        return canonical
    }

    private static func refuse(unsafe path: String, expecting type: mode_t, _ noun: String) throws(HSMError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & mode_t(S_IFMT) == type else {
            throw HSMError(.moduleRefused, "'\(path)' is not \(noun).")
        }
        guard status.st_mode & mode_t(S_IWGRP | S_IWOTH) == 0 else {
            throw HSMError(
                .moduleRefused, "'\(path)' can be written by its group or by everyone; anyone could replace the module."
            )
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw HSMError(.moduleRefused, "'\(path)' belongs to user \(status.st_uid), neither root nor this user.")
        }
    }
}
