import Foundation
import GRDB
import Glibc

/// Reads a chain's file, or an export of it; also beside the daemon that writes the file. Blocks.
public struct AuditReader: Sendable {
    private enum Source: Sendable {
        case database(DatabaseQueue)
        case export(Data)
    }

    private let source: Source
    private let path: String

    /// - Parameters:
    ///   - path: An `audit.db`, an archive of one, or JSON lines that `kmsd audit export` made.
    ///   - isDatabase: Refuses JSON lines, which are read whole: a home's own chain is none.
    /// - Throws: ``AuditError`` with `.unavailable`.
    public init(path: String, isDatabase: Bool = false) throws(AuditError) {
        self.path = path
        // Who opens a pipe waits until somebody writes into it.
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let file = FileHandle(forReadingAtPath: path)
        else {
            throw AuditError(
                .unavailable, "The audit chain '\(path)' is not there, is no regular file, or may not be read.")
        }
        defer { try? file.close() }
        let magic = try? file.read(upToCount: 15)
        if magic == Data("SQLite format 3".utf8) {
            source = .database(try AuditDatabase.openReadOnly(path))
        } else {
            // An empty one is a chain without records. An export begins with a record, or with what was left of one.
            let first = magic?.first ?? UInt8(ascii: "{")
            guard first == UInt8(ascii: "{") || first == 0x0A, !isDatabase || magic?.isEmpty != false else {
                let kinds = isDatabase ? "" : ", nor an export of one"
                throw AuditError(
                    .unavailable, "'\(path)' is no audit chain\(kinds): it is damaged, or another file; restore it.")
            }
            do {
                source = .export(try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
            } catch {
                throw AuditError(.unavailable, "'\(path)' cannot be read whole; see the system's log")
            }
        }
    }

    /// Checks the whole chain, or a part of it.
    ///
    /// - Parameters:
    ///   - fingerprint: Of the audit key that must have signed; nil to believe what the chain says.
    ///   - expected: Heads that the chain is known to have had.
    ///   - earlier: What is checked before the file itself.
    ///   - isArchive: Whether the file must end with the record that closed it.
    ///   - isStopped: Asked now and then; true ends with a `CancellationError`'s message.
    public func verify(
        fingerprint: String? = nil, expected: [AuditHead] = [], earlier: Earlier = .found, isArchive: Bool = false,
        isStopped: () -> Bool = { false }
    ) throws(AuditError) -> AuditReport {
        var verifier = AuditVerifier(
            fingerprint: fingerprint, expected: expected, isPart: earlier.isPart, mustBeClosed: isArchive)
        try AuditFailure.translating {
            switch source {
            case .database(let queue):
                // One look at the file, so that a part which is closed meanwhile is not missed.
                try queue.read { db in
                    try verify(try files(earlier, db, &verifier), &verifier, isStopped)
                    try Self.verify(db, &verifier, isStopped)
                }
            case .export(let data):
                try verify(try files(earlier, nil, &verifier), &verifier, isStopped)
                try Self.verify(data, &verifier, isStopped)
            }
        }
        return verifier.finish()
    }

    /// What is checked before a file.
    public enum Earlier: Sendable {
        /// The archives that the file names, where rotation puts them or beside the file.
        case found
        /// These files, in whatever order.
        case files([String], isPart: Bool)
        /// Nothing: the file may begin with the last record of an earlier part.
        case none

        var isPart: Bool {
            switch self {
            case .found: false
            case .files(_, let isPart): isPart
            case .none: true
            }
        }
    }

    private func files(_ earlier: Earlier, _ db: Database?, _ verifier: inout AuditVerifier) throws -> [AuditReader] {
        switch earlier {
        case .none: return []
        case .files(let paths, _):
            let readers = try paths.map { path throws(AuditError) in try AuditReader(path: path) }
            let placed = try readers.map { ($0, try $0.firstIndex()) }
            return placed.sorted { $0.1 < $1.1 }.map { $0.0 }
        case .found:
            guard let db else { return [] }
            var readers: [AuditReader] = []
            for part in try AuditTables.parts(db) where part.isClosed {
                guard let file = find(part) else {
                    verifier.find(
                        .missing, part.first,
                        "The records \(part.first) to \(part.last) are in the archive '\(part.name)', which is not in "
                            + "'\(AuditPart.directory(ofChain: path))': name the archives with --archive, or say --part to "
                            + "check the rest alone.")
                    return readers
                }
                readers.append(try AuditReader(path: file))
            }
            return readers
        }
    }

    private func find(_ part: AuditPart) -> String? {
        // The name is the file's own word.
        guard part.name.utf8.elementsEqual(AuditPart.name(first: part.first).utf8) else { return nil }
        return [AuditPart.directory(ofChain: path), AuditPart.folder(of: path)].map { $0 + "/" + part.name }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    private func verify(
        _ files: [AuditReader], _ verifier: inout AuditVerifier, _ isStopped: () -> Bool
    ) throws {
        for file in files {
            switch file.source {
            case .database(let queue): try queue.read { db in try Self.verify(db, &verifier, isStopped) }
            case .export(let data): try Self.verify(data, &verifier, isStopped)
            }
            verifier.endFile(file.path, from: try file.firstIndex())
        }
    }

    private static func verify(_ db: Database, _ verifier: inout AuditVerifier, _ isStopped: () -> Bool) throws {
        let base = try AuditTables.base(db)
        verifier.beginFile()
        let checkpoints = try AuditTables.checkpoints(db, after: base - 1)
        var checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
        let records = try AuditTables.records(db, from: base == 1 ? 0 : base)
        var isFirst = base > 1
        while let row = try records.next() {
            let stored = AuditTables.StoredRecord(row)
            if isFirst, stored.index != base {
                return verifier.find(.missing, base, "Record \(base), with which the file begins, is missing.")
            }
            isFirst = false
            if stored.index % 1024 == 0, isStopped() { throw CancellationError() }
            try verifier.take(AuditRecord(encoded: stored.body), at: stored.index, hash: stored.hash)
            while let found = checkpoint, found.index <= stored.index {
                verifier.take(found.checkpoint, at: found.index)
                checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
            }
        }
        if let checkpoint { verifier.take(checkpoint.checkpoint, at: checkpoint.index) }
        try verifier.check(try AuditTables.revocations(db))
    }

    private static func verify(_ data: Data, _ verifier: inout AuditVerifier, _ isStopped: () -> Bool) throws {
        verifier.beginFile()
        var lines = AuditExportLines(data)
        while let line = lines.next(), verifier.report.finding == nil {
            switch line.flatMap(AuditLine.init(json:)) {
            case .record(let record, let hash):
                if record.index % 1024 == 0, isStopped() { throw CancellationError() }
                try verifier.take(record, at: record.index, hash: hash)
            case .checkpoint(let checkpoint): verifier.take(checkpoint, at: checkpoint.position.index)
            case nil:
                let next = verifier.report.records + 1
                verifier.find(.altered, next, "The line behind record \(next - 1) is not one that an export writes.")
            }
        }
    }

    /// Hands out every line of the file, in order; what is no record is left out, as `verify` will say.
    public func visit(_ body: (AuditLine) throws -> Void) throws {
        switch source {
        case .database(let queue):
            try queue.read { db in
                let base = try AuditTables.base(db)
                let checkpoints = try AuditTables.checkpoints(db, after: base - 1)
                var checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
                let records = try AuditTables.records(db, from: base)
                while let row = try records.next() {
                    let stored = AuditTables.StoredRecord(row)
                    if let record = AuditRecord(encoded: stored.body) { try body(.record(record, hash: stored.hash)) }
                    while let found = checkpoint, found.index <= stored.index {
                        if let checkpoint = found.checkpoint { try body(.checkpoint(checkpoint)) }
                        checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
                    }
                }
            }
        case .export(let data):
            var lines = AuditExportLines(data)
            while let line = lines.next() {
                if let line = line.flatMap(AuditLine.init(json:)) { try body(line) }
            }
        }
    }

    /// The public key that the last checkpoint of a database names; whose it is, the caller must know.
    public func lastKey() throws(AuditError) -> AuditPublicKey? {
        guard case .database(let queue) = source else { return nil }
        let found = try AuditFailure.translating { try queue.read { db in try AuditTables.lastCheckpoint(db) } }
        return try? found?.checkpoint.map { try AuditPublicKey(subjectPublicKeyInfo: $0.publicKey) }
    }

    /// Fingerprint of the audit key that a file pins at its end, by what it says and the signatures in it; empty for a chain
    /// that is never signed, nil for a file without records and for an export.
    public func pinnedKey() throws(AuditError) -> String? {
        guard case .database(let queue) = source else { return nil }
        return try AuditFailure.translating {
            try queue.read { db -> String? in
                guard try AuditTables.lastRecord(db) != nil else { return nil }
                return try AuditHandover.succession(db, from: try AuditTail.base(db).base.pinned).pinned
            }
        }
    }

    /// Records of an index and later, in order.
    ///
    /// - Parameter limit: Most records.
    public func records(from index: UInt64, limit: Int) throws(AuditError) -> [AuditLine] {
        switch source {
        case .database(let queue):
            return try AuditFailure.translating {
                try queue.read { db in
                    var lines: [AuditLine] = []
                    let rows = try AuditTables.records(db, from: max(index, try AuditTables.base(db)))
                    while lines.count < limit, let row = try rows.next() {
                        let stored = AuditTables.StoredRecord(row)
                        guard let record = AuditRecord(encoded: stored.body) else { continue }
                        lines.append(.record(record, hash: stored.hash))
                    }
                    return lines
                }
            }
        case .export:
            var lines: [AuditLine] = []
            try AuditFailure.translating {
                try visit { line in
                    if case .record(let record, _) = line, record.index >= index, lines.count < limit {
                        lines.append(line)
                    }
                }
            }
            return lines
        }
    }

    /// What the token's counter stood at when the file was last signed; 0 for a file without a signature, and for an export.
    func lastCounter() throws(AuditError) -> UInt64 {
        guard case .database(let queue) = source else { return 0 }
        return try AuditFailure.translating {
            try queue.read { db in try AuditHandover.lastCounter(db) }
        }
    }

    /// Index of the last record; 0 for none.
    public func lastIndex() throws(AuditError) -> UInt64 {
        switch source {
        case .database(let queue):
            return try AuditFailure.translating {
                try queue.read { db in try AuditTables.lastRecord(db)?.index ?? 0 }
            }
        case .export:
            var last: UInt64 = 0
            try AuditFailure.translating { try visit { last = max(last, $0.index) } }
            return last
        }
    }

    /// Index of the first record; 0 for none. What is before it, if it is not 1, is in ``archive()``.
    public func firstIndex() throws(AuditError) -> UInt64 {
        guard case .record(let record, _)? = try records(from: 0, limit: 1).first else { return 0 }
        return record.index
    }

    /// Where the records before the first one are: the name of the archive with the last of them, and its path if it is where
    /// rotation puts it; nil for a file that begins with record 1.
    public func archive() throws(AuditError) -> (name: String, path: String?)? {
        guard case .record(let record, _)? = try records(from: 0, limit: 1).first,
            let closed = AuditBase(record)?.closed
        else { return nil }
        return (
            closed.name, find(AuditPart(first: closed.first, last: record.index, name: closed.name, isClosed: true))
        )
    }
}
