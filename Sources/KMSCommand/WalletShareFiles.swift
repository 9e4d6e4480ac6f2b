import Foundation
import Glibc
import KMSDaemon
import SecretMemory
import WalletClient

/// Writes shares to files that only their owner reads: all of them, or none.
enum WalletShareFiles {
    /// - Returns: The paths, in the order of the shares.
    /// - Throws: When a file is there already or cannot be written; what was written by then is removed.
    static func write(_ shares: [WalletKey], into directory: String) throws -> [String] {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var written: [String] = []
        do {
            for (index, share) in shares.enumerated() {
                let path = "\(directory)/share-\(index + 1).key"
                let content = try share.fileContent()
                let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
                guard file >= 0 else { throw refused(path) }
                defer { close(file) }
                written.append(path)
                try content.withUnsafeBytes { bytes in
                    var offset = 0
                    while offset < bytes.count {
                        let count = Glibc.write(file, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
                        if count < 0, errno == EINTR { continue }
                        guard count > 0 else { throw refused(path) }
                        offset += count
                    }
                }
                guard fsync(file) == 0 else { throw refused(path) }
            }
        } catch {
            for path in written { unlink(path) }
            throw error
        }
        return written
    }

    private static func refused(_ path: String) -> CommandFailure {
        CommandFailure(.failed, code: "file", "'\(path)' cannot be written: \(String(cString: strerror(errno)))")
    }
}
