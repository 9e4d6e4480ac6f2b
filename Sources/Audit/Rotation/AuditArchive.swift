import Foundation
import GRDB
import Glibc
import Storage

/// The file into which a part of the chain is closed: written aside, in groups of records that are flushed each, and given its
/// name when it is whole and was checked.
struct AuditArchive: Sendable {
    let part: AuditPart
    let directory: String

    var path: String { directory + "/" + part.name }
    private var aside: String { path + ".part" }

    /// Records of one group.
    static let group = 2_000

    init(_ part: AuditPart, ofChain path: String) {
        self.part = part
        directory = AuditPart.directory(ofChain: path)
    }

    var isNamed: Bool { FileManager.default.fileExists(atPath: path) }

    /// Makes the directory of the archives, closed to others. Blocks.
    func prepare() throws(AuditError) {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw failure("make", directory) }
        var status = stat()
        guard lstat(directory, &status) == 0 else { throw failure("look at", directory) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw AuditError(
                .unavailable,
                "'\(directory)' must be a directory of this user that is closed to others; chmod 700 it.")
        }
    }

    /// Copies what is missing of the part, and goes on with what an earlier try left behind.
    ///
    /// - Parameter grew: Told how many records are there.
    func write(from pool: DatabasePool, _ grew: (UInt64) throws -> Void) async throws {
        var queue = try open()
        var next = part.first
        if let last = try await queue.read({ try AuditTables.lastRecord($0) }) {
            // Of another try, or of another chain that was here before.
            let same = try await pool.read { try AuditTables.record($0, last.index) }
            if last.index <= part.last, same?.hash == last.hash {
                next = last.index + 1
            } else {
                try queue.close()
                try removeAside()
                queue = try open()
            }
        }
        while next <= part.last {
            try Task.checkCancellation()
            let start = next
            let rows = try await pool.read { db in
                var rows: [AuditTables.StoredRecord] = []
                let records = try AuditTables.records(db, from: start)
                while rows.count < Self.group, let row = try records.next().map(AuditTables.StoredRecord.init),
                    row.index <= part.last
                { rows.append(row) }
                return rows
            }
            guard rows.first?.index == next, let last = rows.last?.index else {
                throw AuditError(.damaged, "Record \(next) of the audit chain is missing. Run `kmsd audit verify`.")
            }
            try await queue.write { db in
                for row in rows { try AuditTables.insert(db, index: row.index, body: row.body, hash: row.hash) }
            }
            next = last + 1
            try grew(next - part.first)
        }
        let (checkpoints, revocations, parts) = try await pool.read { db in
            var checkpoints: [AuditCheckpoint] = []
            let rows = try AuditTables.checkpoints(db, after: part.first - 1)
            while let row = try rows.next().map(AuditTables.StoredCheckpoint.init), row.index <= part.last {
                guard let checkpoint = row.checkpoint else {
                    throw AuditError(
                        .damaged, "The checkpoint at record \(row.index) is altered. Run `kmsd audit verify`.")
                }
                checkpoints.append(checkpoint)
            }
            return (
                checkpoints, try AuditTables.revocations(db).filter { $0.index <= part.last },
                try AuditTables.parts(db).filter { $0.isClosed && $0.last <= part.first }
            )
        }
        try await queue.write { db in
            try db.execute(sql: "DELETE FROM revocations; DELETE FROM parts; DELETE FROM checkpoints")
            for checkpoint in checkpoints { try AuditTables.insert(db, checkpoint) }
            for revocation in revocations { try AuditTables.insert(db, revocation) }
            for part in parts { try AuditTables.insert(db, part) }
        }
        try queue.close()
    }

    /// Reads the file again, whole, and sees that it is the part. Blocks.
    func check(pinned: String, head: AuditHead, isStopped: () -> Bool) throws(AuditError) {
        let file = isNamed ? path : aside
        let report = try AuditReader(path: file).verify(
            fingerprint: pinned, expected: [head], earlier: .none, isStopped: isStopped)
        guard report.finding == nil, report.firstRecord == part.first, report.records == part.last,
            pinned.isEmpty || report.signedRecords == part.last
        else {
            throw AuditError(
                .damaged,
                "The archive '\(file)' is not the part of the chain that it must be: "
                    + (report.finding?.message ?? "it has the records \(report.firstRecord) to \(report.records).")
                    + " Nothing was removed from the chain; move that file away and try again.")
        }
    }

    /// Gives the file its name, which must be free. Blocks.
    func name() throws(AuditError) {
        let descriptor = Glibc.open(aside, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", aside) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("flush", aside) }
        // A link does not replace what is there.
        guard link(aside, path) == 0 else { throw failure("name", path) }
        guard fchmod(descriptor, 0o400) == 0 else { throw failure("close", path) }
        guard unlink(aside) == 0 else { throw failure("remove", aside) }
        try flushDirectory(directory)
        try flushDirectory(AuditPart.folder(of: directory))
    }

    /// Removes what a crash between the two names left behind. Blocks.
    func removeAside() throws(AuditError) {
        for name in [aside, aside + "-journal"] where unlink(name) != 0 && errno != ENOENT {
            throw failure("remove", name)
        }
    }

    private func open() throws(AuditError) -> DatabaseQueue {
        try AuditFailure.translating {
            try SQLiteFile.openSingle(path: aside, label: "kmsd.audit.archive", schema: AuditSchema.current)
        }
    }

    private func flushDirectory(_ path: String) throws(AuditError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("flush", path) }
    }

    private func failure(_ verb: String, _ path: String) -> AuditError {
        AuditError(.unavailable, "Could not \(verb) '\(path)': \(String(cString: strerror(errno))).")
    }
}
