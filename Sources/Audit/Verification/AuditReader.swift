import Foundation
import GRDB

/// Reads a chain's file, or an export of it; also beside the daemon that writes the file. Blocks.
public struct AuditReader: Sendable {
    private enum Source: Sendable {
        case database(DatabaseQueue)
        case export(Data)
    }

    private let source: Source

    /// - Parameter path: An `audit.db`, or JSON lines that ``export(_:)`` made.
    /// - Throws: ``AuditError`` with `.unavailable`.
    public init(path: String) throws(AuditError) {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw AuditError(.unavailable, "The audit chain '\(path)' is not there, or may not be read.")
        }
        defer { try? file.close() }
        let magic = try? file.read(upToCount: 15)
        if magic == Data("SQLite format 3".utf8) {
            source = .database(try AuditDatabase.openReadOnly(path))
        } else {
            do {
                source = .export(try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
            } catch {
                throw AuditError(.unavailable, "'\(path)' cannot be read: \(error.localizedDescription)")
            }
        }
    }

    /// Checks the whole chain.
    ///
    /// - Parameters:
    ///   - fingerprint: Of the audit key that must have signed; nil to believe what the chain says.
    ///   - expected: Heads that the chain is known to have had.
    public func verify(fingerprint: String? = nil, expected: [AuditHead] = []) throws(AuditError) -> AuditReport {
        var verifier = AuditVerifier(fingerprint: fingerprint, expected: expected)
        switch source {
        case .database(let queue):
            try AuditFailure.translating { try queue.read { db in try Self.verify(db, &verifier) } }
        case .export(let data):
            try Self.verify(data, &verifier)
        }
        return verifier.finish()
    }

    private static func verify(_ db: Database, _ verifier: inout AuditVerifier) throws {
        let checkpoints = try AuditTables.checkpoints(db, after: 0)
        var checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
        let records = try AuditTables.records(db, from: 0)
        while let row = try records.next() {
            let stored = AuditTables.StoredRecord(row)
            try verifier.take(AuditRecord(encoded: stored.body), at: stored.index, hash: stored.hash)
            while let found = checkpoint, found.index <= stored.index {
                verifier.take(found.checkpoint, at: found.index)
                checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
            }
        }
        if let checkpoint { verifier.take(checkpoint.checkpoint, at: checkpoint.index) }
        if try verifier.report.finding == nil && AuditTables.revocations(db) != verifier.revocations {
            verifier.find(
                .revocations, verifier.report.records, "The list of revocations is not what the records tell.")
        }
    }

    private static func verify(_ data: Data, _ verifier: inout AuditVerifier) throws(AuditError) {
        var rest = data
        while !rest.isEmpty, verifier.report.finding == nil {
            let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            let line = [UInt8](rest[..<end])
            rest = rest[min(end + 1, rest.endIndex)...]
            switch AuditLine(json: line) {
            case .record(let record, let hash): try verifier.take(record, at: record.index, hash: hash)
            case .checkpoint(let checkpoint): verifier.take(checkpoint, at: checkpoint.position.index)
            case nil:
                let next = verifier.report.records + 1
                verifier.find(.altered, next, "The line behind record \(next - 1) is not one that an export writes.")
            }
        }
    }

    /// Hands out every line, in order; what is no record is left out, as `verify` will say.
    public func visit(_ body: (AuditLine) throws -> Void) throws {
        switch source {
        case .database(let queue):
            try queue.read { db in
                let checkpoints = try AuditTables.checkpoints(db, after: 0)
                var checkpoint = try checkpoints.next().map(AuditTables.StoredCheckpoint.init)
                let records = try AuditTables.records(db, from: 0)
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
            for line in data.split(separator: 0x0A) {
                if let line = AuditLine(json: [UInt8](line)) { try body(line) }
            }
        }
    }

    /// The public key that the last checkpoint of a database names; whose it is, the caller must know.
    public func lastKey() throws(AuditError) -> AuditPublicKey? {
        guard case .database(let queue) = source else { return nil }
        let found = try AuditFailure.translating { try queue.read { db in try AuditTables.lastCheckpoint(db) } }
        return try? found?.checkpoint.map { try AuditPublicKey(subjectPublicKeyInfo: $0.publicKey) }
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
                    let rows = try AuditTables.records(db, from: index)
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
}
