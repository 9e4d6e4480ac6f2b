public import Encodings
import Glibc
import LibCrypto
public import SecretMemory

/// A lock whose key is read from a file: for development and for existing deployments without a token.
///
/// Whoever reads the file opens every keystore, so its mode and owner are checked. The key stays in locked memory for
/// the life of the lock.
public struct LocalFileLock: SecretLock {
    private let key: SharedSecret
    public let identity: String
    public var kind: LockKind { .localFile }

    /// Reads a 32-byte key from `path`, or from `credential:NAME`: padded base64url text, or raw bytes.
    ///
    /// - Throws: `.configurationRefused` for an empty path, a symbolic link or other file that is not regular, a file of
    ///   another owner or with any access for group or others, a key of another length than 32 bytes, and raw bytes
    ///   that could also be read as text. Messages say what to do and never quote the content.
    public init(path: String) throws(EnclaveLockError) {
        let content = try Self.read(path)
        try self.init(key: try LocalKeyFile.key(from: content, path: path))
    }

    /// The key in such a file, for reading what another server locked with it.
    ///
    /// - Throws: as ``init(path:)``.
    public static func key(path: String) throws(EnclaveLockError) -> SharedSecret {
        SharedSecret(try LocalKeyFile.key(from: try read(path), path: path))
    }

    init(key: consuming SecretBytes) throws(EnclaveLockError) {
        do {
            let name = try HKDF.sha256(
                inputKey: key, salt: [], info: Labels.localFileIdentity.bytes, count: 16)
            let hex = name.withUnsafeBytes {
                $0.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
            }
            identity = "file:\(hex)"
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not name a local lock: \(error)")
        }
        self.key = SharedSecret(key)
    }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        try secret.withSecret { secret throws(EnclaveLockError) in
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.seal(secret, lockKey: key, identity: identity)
            }
        }
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        SharedSecret(
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.open(sealed, lockKey: key, identity: identity)
            })
    }

    private static func read(_ path: String) throws(EnclaveLockError) -> SecretBytes {
        func refused(_ reason: String) -> EnclaveLockError {
            EnclaveLockError(.configurationRefused, "Could not use the lock key file '\(path)': \(reason)")
        }
        guard !path.isEmpty else {
            throw EnclaveLockError(
                .configurationRefused, "The local secret lock needs the path of its key file; there is no default key.")
        }
        let descriptor = try open(path)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refused(String(cString: strerror(errno)) + ".") }
        guard status.st_size <= LocalKeyFile.longestContent else {
            throw refused("it is longer than \(LocalKeyFile.longestContent) bytes.")
        }
        do {
            return try SecretBytes.make(capacity: LocalKeyFile.longestContent) { buffer in
                var count = 0
                while count < buffer.count {
                    let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                    if got < 0 && errno == EINTR { continue }
                    guard got >= 0 else { throw refused(String(cString: strerror(errno)) + ".") }
                    if got == 0 { break }
                    count += got
                }
                return count
            }
        } catch let error as EnclaveLockError {
            throw error
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not read the lock key file: \(error)")
        }
    }

    /// Opened once and judged by the descriptor, so the file cannot be exchanged in between.
    private static func open(_ path: String) throws(EnclaveLockError) -> Int32 {
        func refused(_ reason: String) -> EnclaveLockError {
            var error = EnclaveLockError(
                .configurationRefused, "Could not use the lock key file '\(path)': \(reason)")
            error.isAboutRights = true
            return error
        }
        if path.startsExactly(with: "credential:") {
            do throws(SecretFileError) {
                return try CredentialDirectory.open(String(path.dropFirst("credential:".count)), isSecret: true)
            } catch {
                throw refused("\(error.message).")
            }
        }
        let name = path.startsExactly(with: "file:") ? String(path.dropFirst("file:".count)) : path
        let descriptor = Glibc.open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ELOOP { throw refused("it \(SecretFile.linkRemedy).") }
            throw refused(String(cString: strerror(reason)) + ".")
        }
        var status = stat()
        let problem: EnclaveLockError? =
            if fstat(descriptor, &status) != 0 {
                refused(String(cString: strerror(errno)) + ".")
            } else if status.st_mode & S_IFMT != S_IFREG {
                refused("it is not a regular file.")
            } else if status.st_uid != geteuid() {
                refused("it belongs to another user; chown it to the daemon's.")
            } else if status.st_mode & 0o077 != 0 {
                refused(
                    "group or others may access it; run chmod 600 on it, or, for a mounted secret of Kubernetes or "
                        + "Docker, name it as credential:NAME with credentials-directory.")
            } else {
                nil
            }
        if let problem {
            close(descriptor)
            throw problem
        }
        return descriptor
    }
}
