import Glibc
import Synchronization

/// The directory in which `credential:NAME` is looked up: that of the service manager, of Kubernetes or of Docker.
///
/// It is one for the process, as the variable `CREDENTIALS_DIRECTORY` is that names it otherwise.
public enum CredentialDirectory {
    private struct Choice {
        var path: String?
        var allowsWorldReadable = false
    }

    private static let choice = Mutex(Choice())

    /// - Parameters:
    ///   - path: Absolute; nil for `CREDENTIALS_DIRECTORY`.
    ///   - allowsWorldReadable: Whether secrets that every user of this machine or container can read are taken.
    public static func use(path: String?, allowsWorldReadable: Bool = false) {
        choice.withLock { $0 = Choice(path: path, allowsWorldReadable: allowsWorldReadable) }
    }

    static var allowsWorldReadable: Bool { choice.withLock { $0.allowsWorldReadable } }

    /// Nil if none is named.
    static var path: String? {
        if let path = choice.withLock({ $0.path }) { return path }
        guard let text = getenv("CREDENTIALS_DIRECTORY").map({ String(cString: $0) }),
            text.utf8.first == UInt8(ascii: "/")
        else {
            return nil
        }
        return text
    }

    /// Opens the file of one credential for reading; the caller closes it.
    ///
    /// Links are followed as long as they stay in the directory (Kubernetes changes all files of a volume at once by
    /// exchanging the link `..data`). Every directory, link and file passed must belong to this user or root. What was
    /// judged is what is read: each step goes from one opened directory to the next.
    ///
    /// - Parameter isSecret: Whether only this user and its own groups may be able to read it; otherwise only nobody
    ///   else may be able to write it.
    /// - Throws: ``SecretFileError`` naming the file and the remedy.
    package static func open(_ name: String, isSecret: Bool) throws(SecretFileError) -> Int32 {
        guard isPlain(name) else { throw SecretFileError("'credential:' needs a plain name") }
        guard let path else {
            throw SecretFileError(
                "credential '\(name)': no directory is named; use LoadCredential= of systemd, or credentials-directory "
                    + "(KMS_CREDENTIALS_DIRECTORY)")
        }
        var walk = try CredentialWalk(directory: path, name: name)
        return try walk.open(isSecret: isSecret, allowsWorldReadable: allowsWorldReadable)
    }

    /// Whether `name` is one component of a path, and not its own or its parent's.
    package static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/"))
            && !name.utf8.contains(0)
    }
}

/// The way from a credential directory to one file.
private struct CredentialWalk: ~Copyable {
    /// Links followed at most.
    private static let mostLinks = 8

    private let path: String
    /// Opened directories, from the credential directory to where the walk is.
    private var directories: [Int32] = []
    private var pending: [String]
    private var links = 0

    init(directory: String, name: String) throws(SecretFileError) {
        path = directory + "/" + name
        pending = [name]
        let root = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else {
            let reason = errno
            throw SecretFileError(
                "'\(path)' lies in a directory that cannot be opened: \(String(cString: strerror(reason)))",
                isAboutRights: reason == EACCES)
        }
        directories = [root]
        try checkDirectory(root)
    }

    deinit { for directory in directories { close(directory) } }

    mutating func open(isSecret: Bool, allowsWorldReadable: Bool) throws(SecretFileError) -> Int32 {
        while !pending.isEmpty {
            let component = pending.removeFirst()
            if component.isEmpty || component == "." { continue }
            if component == ".." {
                guard directories.count > 1 else { throw refused("is a link that leaves the credential directory") }
                close(directories.removeLast())
                continue
            }
            let entry = openat(directories[directories.count - 1], component, __O_PATH | O_NOFOLLOW | O_CLOEXEC)
            guard entry >= 0 else { throw unopened(errno) }
            var keeps = false
            defer { if !keeps { close(entry) } }
            let info = try status(entry)
            guard info.st_uid == geteuid() || info.st_uid == 0 else {
                throw refused("leads by way of user \(info.st_uid), not of this user or root", isAboutRights: true)
            }
            switch info.st_mode & S_IFMT {
            case S_IFLNK: try follow(entry)
            case S_IFDIR:
                try checkDirectory(entry)
                directories.append(entry)
                keeps = true
            case S_IFREG:
                guard pending.isEmpty else { throw refused("is not a regular file") }
                let file = try reopen(component, info)
                do throws(SecretFileError) {
                    try checkFile(file, isSecret, allowsWorldReadable)
                    return file
                } catch {
                    close(file)
                    throw error
                }
            default: throw refused("is not a regular file")
            }
        }
        throw refused("is not a regular file")
    }

    private mutating func follow(_ link: Int32) throws(SecretFileError) {
        links += 1
        guard links <= Self.mostLinks else { throw refused("leads through more than \(Self.mostLinks) links") }
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = buffer.withUnsafeMutableBytes {
            guard let base = $0.baseAddress?.assumingMemoryBound(to: CChar.self) else { return -1 }
            return readlinkat(link, "", base, $0.count)
        }
        guard length > 0, length < buffer.count, let target = String(validating: buffer[..<length], as: UTF8.self)
        else {
            throw refused("is a link that cannot be read")
        }
        guard target.utf8.first != UInt8(ascii: "/") else {
            throw refused("is a link that leaves the credential directory")
        }
        // By bytes, as the system reads it: a slash with an accent behind it is a slash.
        let components = target.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
        pending = components.map { String(decoding: $0, as: UTF8.self) } + pending
    }

    /// The same file for reading. O_NONBLOCK: what took its place may be a FIFO without a writer.
    private func reopen(_ component: String, _ seen: stat) throws(SecretFileError) -> Int32 {
        let file = openat(
            directories[directories.count - 1], component, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unopened(errno) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_dev == seen.st_dev, info.st_ino == seen.st_ino else {
            close(file)
            throw refused("was exchanged while it was opened; try again")
        }
        return file
    }

    /// Where others may write, as in the volumes of Kubernetes, the sticky bit must keep them from what is not theirs.
    private func checkDirectory(_ directory: Int32) throws(SecretFileError) {
        let info = try status(directory)
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw refused("lies in a directory of user \(info.st_uid), not of this user or root", isAboutRights: true)
        }
        guard info.st_mode & 0o022 == 0 || info.st_mode & S_ISVTX != 0 else {
            throw refused(
                "lies in a directory of mode \(Self.octal(info.st_mode)) that others can write to; chmod go-w it",
                isAboutRights: true)
        }
    }

    private func checkFile(
        _ file: Int32, _ isSecret: Bool, _ allowsWorldReadable: Bool
    ) throws(SecretFileError) {
        let info = try status(file)
        let mode = Self.octal(info.st_mode)
        guard info.st_mode & 0o022 == 0 else {
            throw refused("has mode \(mode), so others can write it; chmod go-w it", isAboutRights: true)
        }
        guard isSecret else { return }
        guard info.st_mode & 0o111 == 0 else {
            throw refused("has mode \(mode) and can be run; chmod 400 it", isAboutRights: true)
        }
        if info.st_mode & 0o004 != 0 {
            guard allowsWorldReadable else {
                throw refused(
                    "has mode \(mode), so everybody here can read it; chmod 400 it (Kubernetes: defaultMode: 0400 with "
                        + "fsGroup), or, in a container where nobody else is, say credentials-world-readable: true",
                    isAboutRights: true)
            }
            return
        }
        // systemd gives the service's user access to a credential of root's by an access list, whose mask shows as the
        // group's right to read (acl(5), "Correspondence between ACL entries and file permission bits").
        guard info.st_mode & 0o040 != 0 else { return }
        let list: FileAccessList?
        switch FileAccessList.of(file) {
        case .success(let found): list = found
        case .failure(let error):
            throw refused("has an access list that cannot be read (\(error)); setfacl -b it", isAboutRights: true)
        }
        if let stranger = list?.strangerWhoReads(owner: info.st_uid) {
            throw refused(
                "has an access list that lets \(stranger) read it; see it with getfacl, and take that away with "
                    + "setfacl -x, or all of it with setfacl -b", isAboutRights: true)
        }
        guard list?.letsGroupRead == false || FileAccessList.isOwnGroup(info.st_gid) else {
            throw refused(
                "has mode \(mode), so group \(info.st_gid) can read it, and this user is not in that group; "
                    + "chmod 400 it, or run as a member (Kubernetes: fsGroup)", isAboutRights: true)
        }
    }

    private func status(_ descriptor: Int32) throws(SecretFileError) -> stat {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw unopened(errno) }
        return info
    }

    private func unopened(_ reason: Int32) -> SecretFileError {
        refused(
            "cannot be opened: \(reason == ELOOP ? "it was exchanged" : String(cString: strerror(reason)))",
            isAboutRights: reason == EACCES)
    }

    private func refused(_ why: String, isAboutRights: Bool = false) -> SecretFileError {
        SecretFileError("'\(path)' \(why)", isAboutRights: isAboutRights)
    }

    private static func octal(_ mode: mode_t) -> String { String(mode & 0o7777, radix: 8) }
}
