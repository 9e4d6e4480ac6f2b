import CDispatch
import CoreFoundation
import Foundation
import Glibc
import KMSConfiguration

/// Small files of the home directory, replaced whole: written aside, flushed, renamed into place and the directory
/// flushed, so after a crash the old content or the new one is there.
enum DurableFile {
    /// Longer than any that was written here, in bytes.
    private static let longest = 1 << 20

    /// Nil if it is not there.
    ///
    /// - Parameter limit: In bytes; a longer file is refused unread.
    static func contents(of path: String, upTo limit: Int = longest) throws -> Data? {
        guard FilePresence.exists(path) else { return nil }
        // Who opens a pipe waits until somebody writes into it, so it is opened without waiting and looked at before it is read.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConfigurationError("'\(path)' cannot be read: \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            throw ConfigurationError("'\(path)' is not a file of at most \(limit) bytes; restore it from the backup")
        }
        let data: Data
        do {
            // One byte more than is taken shows that it grew.
            data = try handle.read(upToCount: limit + 1) ?? Data()
        } catch {
            throw ConfigurationError("'\(path)' cannot be read: \(PlainReason.of(error))")
        }
        guard data.count <= limit else { throw ConfigurationError("'\(path)' is longer than \(limit) bytes") }
        return data
    }

    static func store(_ data: Data, at path: String, in home: String) throws {
        let aside = path + ".new"
        let descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", aside) }
        var rest = Array(data)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = Self.failure("write", aside)
                close(descriptor)
                throw failure
            }
            rest = rest.dropFirst(count)
        }
        guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0, close(descriptor) == 0 else {
            throw Self.failure("flush", aside)
        }
        guard rename(aside, path) == 0 else { throw Self.failure("rename", aside) }
        let directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Self.failure("open", home) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Self.failure("flush", home) }
    }

    /// What `errno` says.
    static func failure(_ verb: String, _ path: String) -> CommandFailure {
        let reason = errno
        let isRefused = reason == EACCES || reason == EPERM || reason == EROFS
        return CommandFailure(
            isRefused ? .permission : .failed, code: "file",
            "Could not \(verb) '\(path)': \(String(cString: strerror(reason)))")
    }
}
