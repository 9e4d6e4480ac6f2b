import Glibc

/// Reads a secret that the operator keeps in a file, straight into locked memory.
public enum SecretFile {
    /// Reads a file or a service manager's credential.
    ///
    /// The file must be a regular file (no symbolic link) of ours or root's that nobody else can read; a credential is a
    /// file in `$CREDENTIALS_DIRECTORY` (systemd LoadCredential=). One trailing line break is dropped.
    ///
    /// - Parameters:
    ///   - source: An absolute path, `file:/path` or `credential:NAME`.
    ///   - lengths: Accepted lengths in bytes.
    /// - Throws: ``SecretFileError`` naming the file and what to change.
    /// - Concurrency: blocks on a local file; call it off the cooperative pool.
    public static func read(_ source: String, lengths: ClosedRange<Int>) throws(SecretFileError) -> SecretBytes {
        let (path, isCredential) = try resolve(source)
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let reason = errno
            throw refused(
                path, reason == ELOOP ? "is a symbolic link" : "cannot be opened: \(String(cString: strerror(reason)))")
        }
        defer { close(file) }
        try check(file, path, isCredential: isCredential)
        let secret: SecretBytes
        do throws(SecretFileError) {
            secret = try content(of: file, limit: lengths.upperBound)
        } catch {
            throw refused(path, error.message)
        }
        guard lengths.contains(secret.count) else {
            throw refused(path, "must hold \(lengths.lowerBound) to \(lengths.upperBound) bytes")
        }
        return secret
    }

    /// Reads an opened file, without a line break at its end.
    ///
    /// - Parameter limit: Of bytes that may be meant; of a longer file more than so many are returned.
    /// - Throws: ``SecretFileError``, to be put behind the file's name.
    package static func content(of file: Int32, limit: Int) throws(SecretFileError) -> SecretBytes {
        do {
            return try SecretBytes.make(capacity: limit + 3) { try fill($0, from: file) }
        } catch let error as SecretFileError {
            throw error
        } catch {
            throw SecretFileError("could not be held in locked memory: \(error)")
        }
    }

    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32) throws -> Int {
        var count = 0
        while count < buffer.count {
            let length = Glibc.read(file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            if length < 0, errno == EINTR { continue }
            guard length >= 0 else { throw SecretFileError("cannot be read: \(String(cString: strerror(errno)))") }
            if length == 0 { break }
            count += length
        }
        guard count < buffer.count else { return count }
        if count > 0, buffer[count - 1] == UInt8(ascii: "\n") {
            count -= 1
            if count > 0, buffer[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        }
        return count
    }

    private static func resolve(_ source: String) throws(SecretFileError) -> (path: String, isCredential: Bool) {
        if source.hasPrefix("credential:") {
            let name = String(source.dropFirst("credential:".count))
            guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.utf8.contains(0) else {
                throw SecretFileError("'credential:' needs a plain name")
            }
            guard let directory = getenv("CREDENTIALS_DIRECTORY").map({ String(cString: $0) }), directory.hasPrefix("/")
            else {
                throw SecretFileError("credential '\(name)': CREDENTIALS_DIRECTORY is not set; use LoadCredential=")
            }
            return (directory + "/" + name, true)
        }
        let path = source.hasPrefix("file:") ? String(source.dropFirst("file:".count)) : source
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw SecretFileError("'\(source)' is neither an absolute path nor 'credential:NAME'")
        }
        return (path, false)
    }

    private static func check(_ file: Int32, _ path: String, isCredential: Bool) throws(SecretFileError) {
        var info = stat()
        guard fstat(file, &info) == 0 else { throw refused(path, String(cString: strerror(errno))) }
        guard info.st_mode & S_IFMT == S_IFREG else { throw refused(path, "is not a regular file") }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw refused(path, "belongs to user \(info.st_uid), not to this user or root")
        }
        // A credential of root's is opened to the service by an access list, whose mask shows as the group's right.
        let isManaged = isCredential && info.st_uid == 0 && info.st_gid == 0
        guard info.st_mode & (isManaged ? 0o137 : 0o177) == 0 else {
            throw refused(path, "can be read or run by others; chmod 600 it")
        }
    }

    private static func refused(_ path: String, _ why: String) -> SecretFileError {
        SecretFileError("'\(path)' \(why)")
    }
}

/// Why a file with a secret is not used; names the file and the remedy, never its content.
public struct SecretFileError: Error, Sendable, CustomStringConvertible {
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}
