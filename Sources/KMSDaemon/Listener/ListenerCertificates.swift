import CDispatch
import CoreFoundation
import Encodings
import Glibc
package import KMSConfiguration
import Logging
import NIOSSL
import SecretMemory
import Synchronization

/// What the listener shows and whom it believes: read at start, and again when the files are renewed.
///
/// A connection keeps what was there when it was made.
///
/// - Concurrency: any thread.
package final class ListenerCertificates: Sendable {
    private let files: Configuration.TLSFiles
    private let clientAuthorities: [String]
    private let role: ListenerRole
    private let content: Mutex<TLSFiles.Content>

    /// - Throws: ``ConfigurationError`` for files that cannot be used.
    package init(_ files: Configuration.TLSFiles, clientAuthorities: [String], role: ListenerRole) throws {
        self.files = files
        self.clientAuthorities = clientAuthorities
        self.role = role
        content = Mutex(try TLSFiles.load(files, clientAuthorities: clientAuthorities, role: role))
    }

    /// For the next connection.
    var context: NIOSSLContext { content.withLock { $0.context } }

    /// The server's certificate, for the log.
    package var description: String {
        content.withLock { content in
            guard let leaf = content.chain.first else { return "none" }
            return "sha256 \(leaf.fingerprint), valid until \(leaf.notAfter.rfc3339(digits: 0))"
        }
    }

    func problems(at time: Timestamp) -> [String] { content.withLock { $0.problems(at: time) } }

    /// Reads the files again, and uses them from ``use(_:)`` on.
    ///
    /// - Throws: ``ConfigurationError``
    func read() throws -> TLSFiles.Content {
        try TLSFiles.load(files, clientAuthorities: clientAuthorities, role: role)
    }

    /// - Returns: What changed, in words; empty if nothing did.
    func use(_ new: TLSFiles.Content) -> [String] {
        let old = content.withLock { old in
            defer { old = new }
            return old
        }
        var changes: [String] = []
        if old.chain != new.chain {
            changes.append("the certificate is now \(description)")
        }
        if old.authorities != new.authorities {
            let names = new.authorities.map { $0.fingerprint.prefix(16) }.joined(separator: ", ")
            changes.append("the authorities of \(role.clients) are now \(new.authorities.count): \(names)")
        }
        return changes
    }
}

/// The certificates of every listener that has any.
package struct ServedCertificates: Sendable {
    /// Nil for plain HTTP.
    let https: ListenerCertificates?
    /// Nil without the decryption API, or with a plain one.
    let decryption: ListenerCertificates?

    var all: [ListenerCertificates] { [https, decryption].compactMap { $0 } }

    /// - Throws: ``ConfigurationError`` for files that cannot be used.
    package init(_ settings: Configuration) throws {
        https = try settings.tls.map {
            try ListenerCertificates($0, clientAuthorities: settings.clientAuthorities, role: .https)
        }
        guard let files = settings.tls, let front = settings.decryption else {
            decryption = nil
            return
        }
        decryption = try ListenerCertificates(files, clientAuthorities: front.clientAuthorities, role: .decryption)
    }
}

/// Files by what shows that they were exchanged or written. Links are followed, so the exchange of a link shows too.
struct FileMarks: Equatable {
    private struct Mark: Equatable {
        var device: UInt
        var inode: UInt
        var size: Int
        var changed: [Int]
    }

    private var marks: [Mark?]

    /// - Concurrency: looks at the file system.
    init(_ sources: [String]) {
        marks = sources.map { source in
            var info = stat()
            guard let path = NamedFile.location(of: source), stat(path, &info) == 0 else { return nil }
            return Mark(
                device: UInt(info.st_dev), inode: UInt(info.st_ino), size: Int(info.st_size),
                changed: [
                    info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec,
                ])
        }
    }
}
