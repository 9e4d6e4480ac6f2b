import Foundation
import GRDB
import TestSupport

@testable import Audit

/// A chain in a folder of its own.
struct ChainFixture {
    let path: String

    init() throws { path = try ScratchDirectory.make("audit").path + "/audit.db" }

    func open(
        queueLimit: Int = 4_096, timeout: Duration = .seconds(60), key: String = "", faults: AuditFaults = .none,
        isCompared: Bool = false,
        store: WatchedStore? = nil
    ) throws -> AuditChain {
        var configuration = AuditConfiguration(path: path, keyFingerprint: key, isCompared: isCompared, store: store)
        configuration.queueLimit = queueLimit
        configuration.timeout = timeout
        return try AuditChain(configuration, faults: faults)
    }

    /// The same chain in another folder; nobody may have it open.
    func copy() throws -> ChainFixture {
        let copy = try ChainFixture()
        for name in ["", "-wal"] where FileManager.default.fileExists(atPath: path + name) {
            try FileManager.default.copyItem(atPath: path + name, toPath: copy.path + name)
        }
        return copy
    }

    /// Changes the file as somebody with an editor might.
    func edit(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in try db.execute(sql: sql, arguments: arguments) }
        try queue.close()
    }

    func records() throws -> [AuditRecord] {
        let queue = try AuditDatabase.openReadOnly(path)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: "SELECT idx, body, hash FROM records ORDER BY idx").compactMap {
                AuditRecord(encoded: AuditTables.StoredRecord($0).body)
            }
        }
    }

    static func event(
        _ operation: String = "sign", subject: String = "key", outcome: AuditEvent.Outcome = .allowed,
        details: [String: String] = [:]
    ) -> AuditEvent {
        AuditEvent(
            front: "keystore", actor: "-", operation: operation, subject: subject, outcome: outcome, reason: "ok",
            requestID: "r1", details: details)
    }
}
