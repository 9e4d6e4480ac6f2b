import Glibc

/// A file that a setting names by its absolute path, with or without `file:`, or as `credential:NAME`.
public enum NamedFile {
    /// Whether `text` has one of the forms; says nothing about the file.
    public static func isName(_ text: String) -> Bool {
        switch parse(text) {
        case .path?, .credential?: true
        case nil: false
        }
    }

    enum Name {
        case path(String)
        case credential(String)
    }

    static func parse(_ text: String) -> Name? {
        if let name = text.removingExactly("credential:") {
            return CredentialDirectory.isPlain(name) ? .credential(name) : nil
        }
        let path = text.removingExactly("file:") ?? text
        return path.utf8.first == UInt8(ascii: "/") && !path.utf8.contains(0) ? .path(path) : nil
    }

    /// Where the file is; for a credential, in which directory it would be looked up. For noticing changes, not for
    /// opening.
    public static func location(of text: String) -> String? {
        switch parse(text) {
        case .path(let path)?: path
        case .credential(let name)?: CredentialDirectory.path.map { $0 + "/" + name }
        case nil: nil
        }
    }

    /// Reads a file that is no secret, such as certificates. Links are followed.
    ///
    /// - Parameter limit: In bytes; a longer file is refused.
    /// - Throws: ``SecretFileError`` naming the file.
    /// - Concurrency: blocks on a local file; call it off the cooperative pool.
    public static func contents(of text: String, upTo limit: Int) throws(SecretFileError) -> [UInt8] {
        let file: Int32
        switch parse(text) {
        case .path(let path)?: file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        case .credential(let name)?: file = try CredentialDirectory.open(name, isSecret: false)
        case nil: throw SecretFileError("'\(text)' is neither an absolute path nor 'credential:NAME'")
        }
        guard file >= 0 else {
            let reason = errno
            throw SecretFileError(
                "'\(text)' cannot be opened: \(String(cString: strerror(reason)))", isAboutRights: reason == EACCES)
        }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw SecretFileError("'\(text)' is not a regular file")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let length = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if length < 0, errno == EINTR { continue }
            guard length >= 0 else {
                throw SecretFileError("'\(text)' cannot be read: \(String(cString: strerror(errno)))")
            }
            if length == 0 { break }
            count += length
        }
        guard count <= limit else { throw SecretFileError("'\(text)' is longer than \(limit) bytes") }
        return Array(bytes[..<count])
    }
}

extension String {
    /// What follows `prefix`, compared by bytes; nil if it does not begin with it.
    func removingExactly(_ prefix: String) -> String? {
        guard utf8.starts(with: prefix.utf8) else { return nil }
        return String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
}
