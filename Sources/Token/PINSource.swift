import Encodings
internal import Glibc
public import SecretMemory

/// Where a token's PIN comes from: a file or a service manager's credential, never an argument or a variable.
public enum PINSource: Hashable, Sendable, CustomStringConvertible {
    /// Absolute path of a file that only its owner can read.
    case file(String)
    /// Name of a file in the credential directory (systemd LoadCredential=, a secret of Kubernetes or Docker).
    case credential(String)

    /// Shortest and longest accepted PIN, in bytes.
    public static let lengths = 4...255

    /// What a source holds.
    private struct Content {
        /// As messages call the file.
        let name: String
        /// How a setting names a credential instead.
        let credential: String
        let lengths: ClosedRange<Int>
        let expectation: String

        static let pin = Content(
            name: "PIN file", credential: "pin-source=credential:NAME", lengths: PINSource.lengths,
            expectation: "one PIN of 4 to 255 bytes")
        static let initialisation = Content(
            name: "module initialisation file", credential: "token-module-init-file=credential:NAME",
            lengths: 1...4096, expectation: "1 to 4096 bytes on one line")
    }

    /// Parses `file:/path`, `/path` or `credential:NAME`, as a `pin-source` attribute holds it.
    public init(parsing text: String) throws(HSMError) {
        if text.startsExactly(with: "credential:") {
            let name = String(text.dropFirst("credential:".count))
            guard !name.isEmpty, name != ".", name != "..", !name.containsExactly("/"), !name.utf8.contains(0) else {
                throw HSMError(.pinSourceRefused, "pin-source 'credential:' needs a plain credential name.")
            }
            self = .credential(name)
            return
        }
        var path = text
        if path.startsExactly(with: "file://") { path = String(path.dropFirst("file://".count)) }
        if path.startsExactly(with: "file:") { path = String(path.dropFirst("file:".count)) }
        guard path.startsExactly(with: "/"), !path.utf8.contains(0) else {
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
    /// A file must be a regular file (no symbolic link) of ours or root's with mode 0600 or narrower, in a directory
    /// of ours or root's that others can neither list nor write to. For a credential see `CredentialDirectory`. One
    /// trailing line break is dropped. What was checked is what is read: the file is opened relative to the opened
    /// directory.
    ///
    /// - Throws: `.pinSourceRefused`, naming the file and what to change.
    /// - Concurrency: blocks on a local file; call it off the cooperative pool.
    public func load() throws(HSMError) -> SecretBytes { try load(.pin) }

    /// Reads the PIN of a PKCS #11 token: by the same rules, and one line. A second line, or a second line break, would be sent to
    /// the token as part of the PIN and cost one of its few tries.
    ///
    /// - Throws: `.pinSourceRefused`.
    public func loadLine() throws(HSMError) -> SecretBytes {
        let pin = try load(.pin)
        let isLine = pin.withUnsafeBytes { bytes in
            !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        }
        guard isLine else {
            throw HSMError(
                .pinSourceRefused,
                "PIN file '\(self)' must hold one PIN on one line: there is another line break, or a NUL, in it. Nothing was "
                    + "sent to the token; write the file with `printf %s`.")
        }
        return pin
    }

    /// Reads what a module wants at C_Initialize: by the same rules, since it may hold a password.
    ///
    /// - Returns: The text with a NUL at its end, as C takes it.
    package func loadInitialisation() throws(HSMError) -> SharedSecret {
        let text = try load(.initialisation)
        let isLine = text.withUnsafeBytes { !$0.contains(0) && !$0.contains(UInt8(ascii: "\n")) }
        guard isLine else {
            throw HSMError(
                .pinSourceRefused, "The module initialisation file '\(self)' must hold one line without NUL.")
        }
        do {
            let count = text.count
            return SharedSecret(
                try SecretBytes.make(count: count + 1) { output in
                    text.withUnsafeBytes { output.copyMemory(from: $0) }
                    output[count] = 0
                })
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }

    /// Whether what a module wants to be told at its start can be read.
    public func checkInitialisation() throws(HSMError) { _ = try loadInitialisation() }

    /// Whether the file ends in a line break, which is dropped here and which other programs send to the token as part of
    /// the PIN. Nothing of it is kept.
    public func endsInLineBreak() throws(HSMError) -> Bool {
        let (file, _) = try opened(.pin)
        defer { close(file) }
        var last: UInt8 = 0
        guard lseek(file, -1, SEEK_END) >= 0, read(file, &last, 1) == 1 else { return false }
        return last == UInt8(ascii: "\n")
    }

    private func load(_ content: Content) throws(HSMError) -> SecretBytes {
        let (file, path) = try opened(content)
        defer { close(file) }
        let pin: SecretBytes
        do throws(SecretFileError) {
            pin = try SecretFile.content(of: file, limit: content.lengths.upperBound)
        } catch {
            throw Self.refused(path, error.message, content)
        }
        guard content.lengths.contains(pin.count) else {
            throw Self.refused(path, "must hold \(content.expectation)", content)
        }
        return pin
    }

    private func opened(_ content: Content) throws(HSMError) -> (file: Int32, path: String) {
        switch self {
        case .file(let path): return (try Self.open(path, content), path)
        case .credential(let name):
            do throws(SecretFileError) {
                return (
                    try CredentialDirectory.open(name, isSecret: true),
                    NamedFile.location(of: "credential:" + name) ?? name
                )
            } catch {
                throw HSMError(.pinSourceRefused, "\(content.name) \(error.message).")
            }
        }
    }

    private static func open(_ path: String, _ content: Content) throws(HSMError) -> Int32 {
        // By bytes: an accent behind a slash would hide the directory that has to be checked.
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let parent = path[..<slash]
        let directory = Glibc.open(parent.isEmpty ? "/" : String(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else {
            throw Self.refused(path, "lies in a directory that cannot be opened: \(Self.reason())", content)
        }
        defer { close(directory) }
        try Self.checkDirectory(directory, path, content)
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let name = String(decoding: path[slash...].utf8.dropFirst(), as: UTF8.self)
        let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let reason = errno
            throw Self.refused(
                path, reason == ELOOP ? SecretFile.linkRemedy : "cannot be opened: \(Self.reason(reason))", content)
        }
        do throws(HSMError) {
            try checkFile(file, path, content)
            return file
        } catch {
            close(file)
            throw error
        }
    }

    private static func checkFile(_ file: Int32, _ path: String, _ content: Content) throws(HSMError) {
        var info = stat()
        guard fstat(file, &info) == 0 else { throw Self.refused(path, "cannot be examined: \(Self.reason())", content) }
        guard info.st_mode & S_IFMT == S_IFREG else { throw Self.refused(path, "is not a regular file", content) }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw Self.refused(path, "belongs to user \(info.st_uid), not to this user or root", content)
        }
        guard info.st_mode & 0o177 == 0 else {
            throw Self.refused(
                path,
                "has mode \(Self.octal(info.st_mode)), wider than 600; chmod 600 it, or, for a mounted secret of "
                    + "Kubernetes or Docker, use \(content.credential) with credentials-directory", content)
        }
    }

    private static func checkDirectory(_ directory: Int32, _ path: String, _ content: Content) throws(HSMError) {
        var info = stat()
        guard fstat(directory, &info) == 0 else {
            throw refused(path, "lies in a directory that cannot be examined: \(Self.reason())", content)
        }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw refused(path, "lies in a directory of user \(info.st_uid), not of this user or root", content)
        }
        guard info.st_mode & 0o026 == 0 else {
            throw refused(
                path,
                "lies in a directory of mode \(octal(info.st_mode)) that others can list or write to; chmod 700 the "
                    + "directory, or, for a mounted secret of Kubernetes or Docker, use \(content.credential) "
                    + "with credentials-directory", content)
        }
    }

    private static func octal(_ mode: mode_t) -> String { String(mode & 0o7777, radix: 8) }

    /// What the system says of a failed call.
    private static func reason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

    private static func refused(_ path: String, _ why: String, _ content: Content = .pin) -> HSMError {
        HSMError(.pinSourceRefused, "\(content.name) '\(path)' \(why).")
    }
}
