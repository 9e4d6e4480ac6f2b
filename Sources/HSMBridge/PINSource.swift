internal import Glibc
public import SecretMemory

/// Where a token's PIN comes from: a file or a service manager's credential, never an argument or a variable.
public enum PINSource: Hashable, Sendable, CustomStringConvertible {
    /// Absolute path of a file that only its owner can read.
    case file(String)
    /// Name of a file in `$CREDENTIALS_DIRECTORY` (systemd LoadCredential=).
    case credential(String)

    /// Shortest and longest accepted PIN, in bytes.
    public static let lengths = 4...255

    /// Parses `file:/path`, `/path` or `credential:NAME`, as a `pin-source` attribute holds it.
    public init(parsing text: String) throws(HSMError) {
        if text.hasPrefix("credential:") {
            let name = String(text.dropFirst("credential:".count))
            guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.utf8.contains(0) else {
                throw HSMError(.pinSourceRefused, "pin-source 'credential:' needs a plain credential name.")
            }
            self = .credential(name)
            return
        }
        var path = text
        if path.hasPrefix("file://") { path = String(path.dropFirst("file://".count)) }
        if path.hasPrefix("file:") { path = String(path.dropFirst("file:".count)) }
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw HSMError(
                .pinSourceRefused, "pin-source must be an absolute path, 'file:/path' or 'credential:NAME'.")
        }
        self = .file(path)
    }

    public var description: String {
        switch self {
        case .file(let path): "file:\(path)"
        case .credential(let name): "credential:\(name)"
        }
    }

    /// Reads the PIN straight into locked memory.
    ///
    /// The file must be a regular file (no symbolic link) of ours or root's with mode 0600 or narrower, in a directory
    /// of ours or root's that others can neither list nor write to. One trailing line break is dropped. What was
    /// checked is what is read: the file is opened relative to the opened directory.
    ///
    /// - Throws: `.pinSourceRefused`, naming the file and what to change.
    /// - Concurrency: blocks on a local file; call it off the cooperative pool.
    public func load() throws(HSMError) -> SecretBytes {
        let path = try resolved()
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let parent = path[..<slash]
        let directory = open(parent.isEmpty ? "/" : String(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else {
            throw Self.refused(path, "lies in a directory that cannot be opened: \(Self.reason())")
        }
        defer { close(directory) }
        try Self.checkDirectory(directory, path)
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let name = String(path[slash...].dropFirst())
        let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let reason = errno
            throw Self.refused(
                path, reason == ELOOP ? "is a symbolic link" : "cannot be opened: \(Self.reason(reason))")
        }
        defer { close(file) }
        try checkFile(file, path)
        let pin: SecretBytes
        do throws(SecretFileError) {
            pin = try SecretFile.content(of: file, limit: Self.lengths.upperBound)
        } catch {
            throw Self.refused(path, error.message)
        }
        guard Self.lengths.contains(pin.count) else {
            throw Self.refused(path, "must hold one PIN of \(Self.lengths.lowerBound) to 255 bytes")
        }
        return pin
    }

    private func resolved() throws(HSMError) -> String {
        switch self {
        case .file(let path): return path
        case .credential(let name):
            guard let directory = getenv("CREDENTIALS_DIRECTORY").map({ String(cString: $0) }),
                directory.hasPrefix("/")
            else {
                throw HSMError(
                    .pinSourceRefused,
                    "pin-source names credential '\(name)', but CREDENTIALS_DIRECTORY is not set; use LoadCredential=.")
            }
            return directory + "/" + name
        }
    }

    private func checkFile(_ file: Int32, _ path: String) throws(HSMError) {
        var info = stat()
        guard fstat(file, &info) == 0 else { throw Self.refused(path, "cannot be examined: \(Self.reason())") }
        guard info.st_mode & S_IFMT == S_IFREG else { throw Self.refused(path, "is not a regular file") }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw Self.refused(path, "belongs to user \(info.st_uid), not to this user or root")
        }
        // systemd gives the service's user access to a credential of root's by an access list, whose mask shows as the
        // group's right to read (acl(5), "Correspondence between ACL entries and file permission bits").
        let isManagedCredential = isCredential && info.st_uid == 0 && info.st_gid == 0
        guard info.st_mode & (isManagedCredential ? 0o137 : 0o177) == 0 else {
            throw Self.refused(path, "has mode \(Self.octal(info.st_mode)), wider than 600; chmod 600 it")
        }
    }

    private var isCredential: Bool { if case .credential = self { true } else { false } }

    private static func checkDirectory(_ directory: Int32, _ path: String) throws(HSMError) {
        var info = stat()
        guard fstat(directory, &info) == 0 else {
            throw refused(path, "lies in a directory that cannot be examined: \(Self.reason())")
        }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw refused(path, "lies in a directory of user \(info.st_uid), not of this user or root")
        }
        guard info.st_mode & 0o026 == 0 else {
            throw refused(
                path,
                "lies in a directory of mode \(octal(info.st_mode)) that others can list or write to; "
                    + "chmod 700 the directory")
        }
    }

    private static func octal(_ mode: mode_t) -> String { String(mode & 0o7777, radix: 8) }

    /// What the system says of a failed call.
    private static func reason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

    private static func refused(_ path: String, _ why: String) -> HSMError {
        HSMError(.pinSourceRefused, "PIN file '\(path)' \(why).")
    }
}
