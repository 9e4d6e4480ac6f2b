import Glibc

/// Reads a secret that the operator keeps in a file, straight into locked memory.
public enum SecretFile {
    /// Reads a file or a credential.
    ///
    /// A file must be a regular file (no symbolic link) of ours or root's that nobody else can read; a credential is a
    /// file in ``CredentialDirectory``. One trailing line break is dropped.
    ///
    /// - Parameters:
    ///   - source: An absolute path, `file:/path` or `credential:NAME`.
    ///   - lengths: Accepted lengths in bytes.
    ///   - followsLinks: Whether a path may be a link; what it leads to is judged.
    /// - Throws: ``SecretFileError`` naming the file and what to change.
    /// - Concurrency: blocks on a local file; call it off the cooperative pool.
    public static func read(
        _ source: String, lengths: ClosedRange<Int>, followsLinks: Bool = false
    ) throws(SecretFileError) -> SecretBytes {
        do throws(SecretFileError) {
            let (file, path) = try openFile(source, followsLinks: followsLinks)
            defer { close(file) }
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
        } catch {
            // Absent, too long, a link, open to others: of a secret all are one kind of fault.
            throw SecretFileError(error.message, isAboutRights: true)
        }
    }

    private static func openFile(
        _ source: String, followsLinks: Bool
    ) throws(SecretFileError) -> (file: Int32, path: String) {
        switch NamedFile.parse(source) {
        case .credential(let name)?:
            return (try CredentialDirectory.open(name, isSecret: true), NamedFile.location(of: source) ?? source)
        case .path(let path)?:
            let file = open(path, O_RDONLY | (followsLinks ? 0 : O_NOFOLLOW) | O_CLOEXEC | O_NONBLOCK)
            guard file >= 0 else {
                let reason = errno
                if reason == ELOOP { throw refused(path, linkRemedy, isAboutRights: true) }
                throw refused(
                    path, "cannot be opened: \(String(cString: strerror(reason)))", isAboutRights: reason == EACCES)
            }
            do throws(SecretFileError) {
                try check(file, path)
                return (file, path)
            } catch {
                close(file)
                throw error
            }
        case nil:
            if source.removingExactly("credential:") != nil {
                throw SecretFileError("'credential:' needs a plain name")
            }
            throw SecretFileError("'\(source)' is neither an absolute path nor 'credential:NAME'")
        }
    }

    /// What to do about a link: name its target, or follow the way for mounted secrets.
    package static let linkRemedy =
        "is a symbolic link; name the file itself, or, for a mounted secret of Kubernetes or Docker, credential:NAME "
        + "with credentials-directory"

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

    private static func check(_ file: Int32, _ path: String) throws(SecretFileError) {
        var info = stat()
        guard fstat(file, &info) == 0 else { throw refused(path, String(cString: strerror(errno))) }
        guard info.st_mode & S_IFMT == S_IFREG else { throw refused(path, "is not a regular file") }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw refused(path, "belongs to user \(info.st_uid), not to this user or root", isAboutRights: true)
        }
        guard info.st_mode & 0o177 == 0 else {
            throw refused(
                path,
                "can be read or run by others; chmod 600 it, or, for a mounted secret of Kubernetes or Docker, name it "
                    + "as credential:NAME with credentials-directory", isAboutRights: true)
        }
    }

    private static func refused(_ path: String, _ why: String, isAboutRights: Bool = false) -> SecretFileError {
        SecretFileError("'\(path)' \(why)", isAboutRights: isAboutRights)
    }
}

/// Why a file with a secret is not used; names the file and the remedy, never its content.
public struct SecretFileError: Error, Sendable, CustomStringConvertible {
    public let message: String
    /// Whether the setting is right and the file is the fault: always, where a secret cannot be read; of other files, if
    /// owner, mode or kind of name is wrong.
    public let isAboutRights: Bool

    init(_ message: String, isAboutRights: Bool = false) {
        self.message = message
        self.isAboutRights = isAboutRights
    }

    public var description: String { message }
}
