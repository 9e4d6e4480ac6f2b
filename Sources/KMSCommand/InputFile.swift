import CDispatch
import CoreFoundation
import Foundation
import Glibc
import KMSDaemon

/// Reads what a verb is given, up to a bound.
enum InputFile {
    /// More than keys, receipts and heads of the audit chain ever have.
    static let longestDocument = 64 * 1024

    /// - Throws: ``CommandFailure`` with the code of a wrong command line for a path that cannot be read.
    static func read(_ path: String, upTo limit: Int) throws -> [UInt8] {
        let file = try open(path)
        do {
            return try read(file, "'\(path)'", upTo: limit)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw unreadable(path, PlainReason.of(error))
        }
    }

    /// Refuses a path on the command line that is no file to be read more than once, before somebody else says of it what he
    /// would of a file of the daemon's.
    static func check(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            throw unreadable(path, String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw unreadable(path, "it is not a regular file") }
    }

    private static func open(_ path: String) throws -> FileHandle {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private static func unreadable(_ path: String, _ reason: String) -> CommandFailure {
        CommandFailure(.usage, code: "file", "Could not read '\(path)': \(reason).")
    }

    static func standardInput(upTo limit: Int) throws -> [UInt8] {
        try read(.standardInput, "standard input", upTo: limit)
    }

    private static func read(_ file: FileHandle, _ name: String, upTo limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try file.read(upToCount: limit + 1 - bytes.count), !part.isEmpty {
            bytes += part
            guard bytes.count <= limit else {
                throw CommandFailure(.failed, code: "file", "There are more than \(limit) bytes in \(name).")
            }
        }
        return bytes
    }
}
