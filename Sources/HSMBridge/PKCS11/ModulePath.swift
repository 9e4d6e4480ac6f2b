import Encodings
import Glibc
import Token

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
        guard path.startsExactly(with: "/") else {
            throw HSMError(.moduleRefused, "The module path '\(path)' is not absolute.")
        }
        guard let resolved = realpath(path, nil) else {
            throw HSMError(.moduleRefused, "The module '\(path)' cannot be found: \(String(cString: strerror(errno))).")
        }
        defer { free(resolved) }
        let canonical = String(cString: resolved)
        let name = canonical.splitExactly(at: "/", omittingEmpty: true).last ?? ""
        guard !name.startsExactly(with: "p11-kit-proxy"), !name.startsExactly(with: "libp11-kit.so") else {
            throw proxyRefused(path)
        }
        try refuse(unsafe: canonical, expecting: mode_t(S_IFREG), "a regular file")
        let directory = canonical.splitExactly(at: "/", omittingEmpty: true).dropLast().reduce(into: "") {
            $0 += "/" + $1
        }
        try refuse(unsafe: directory.isEmpty ? "/" : directory, expecting: mode_t(S_IFDIR), "a directory")
        return canonical
    }

    /// p11-kit's proxy would bring every registered module of the machine into the daemon, where each sees the PIN's
    /// memory and one that fails takes the daemon along.
    static func proxyRefused(_ path: String) -> HSMError {
        HSMError(
            .moduleRefused,
            "'\(path)' is p11-kit's proxy, which loads every registered module. Name the one module by its own path; "
                + "`p11-kit list-modules` shows it.")
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
