import Foundation
public import GRDB
import Glibc

/// Where the files of an open database were when it was opened.
///
/// A file that is moved, removed or replaced under a running process stays open: what is written then is in a file that
/// nobody finds again, and is lost with the process.
///
/// - Concurrency: a value; each look is a few calls of the system.
public struct FilePlace: Sendable {
    private struct Identity: Sendable, Equatable {
        let device: UInt64
        let inode: UInt64

        /// Nil if the path leads nowhere.
        init?(_ path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        }
    }

    private let files: [(path: String, identity: Identity)]

    /// Remembers the file and its write-ahead log, which is there as long as the database is open.
    public init(_ pool: DatabasePool) {
        files = [pool.path, pool.path + "-wal"].compactMap { path in Identity(path).map { (path, $0) } }
    }

    /// Why nothing may be written now; nil while all files are where they were.
    public var problem: String? {
        for (path, identity) in files {
            let found = Identity(path)
            guard found != identity else { continue }
            let name = URL(fileURLWithPath: path).lastPathComponent
            return
                "'\(name)' was \(found == nil ? "moved or removed" : "replaced") while the daemon has it open, and what "
                + "would be written now would be lost: put the file back that was there, or stop the daemon first and "
                + "start it on the other one"
        }
        return nil
    }

    /// - Throws: ``StorageError`` with the ``problem``.
    public func check() throws(StorageError) { if let problem { throw StorageError(problem) } }
}
