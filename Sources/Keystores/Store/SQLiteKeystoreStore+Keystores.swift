import Foundation
import GRDB
import Metering

extension SQLiteKeystoreStore {
    public func insertKeystore(_ record: KeystoreRecord, limit: Int) async throws {
        let start = meters.meter.start()
        defer { meters.put.record(since: start) }
        try await writer.perform { [self] db in
            guard try !exists(db, "SELECT 1 FROM keystores WHERE id = ?", [record.id]) else {
                throw KMSError(.alreadyExists, "The keystore '\(record.id)' exists already.")
            }
            let count = try countRows(db, "SELECT COUNT(*) FROM keystores WHERE controller = ?", record.controller)
            guard count < limit else {
                throw KMSError(.quotaExceeded, "This controller has \(limit) keystores, which is the limit.")
            }
            try change(
                db,
                "INSERT INTO keystores (id, controller, protection, lock_record, capability, created_at, vault, "
                    + "authenticator) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    record.id, record.controller, record.protection, Data(record.lockRecord),
                    record.capability.map { Data($0) }, record.createdAt, record.vault.map { Data($0) },
                    Data(record.authenticator),
                ])
            setCount(count + 1, "SELECT COUNT(*) FROM keystores WHERE controller = ?", record.controller)
        }
    }

    public func updateVault(_ record: KeystoreRecord, expecting expected: [UInt8]) async throws -> Bool {
        let start = meters.meter.start()
        defer { meters.put.record(since: start) }
        return try await lowering { [self] db in
            try change(
                db, "UPDATE keystores SET vault = ?, authenticator = ? WHERE id = ? AND authenticator = ?",
                [record.vault.map { Data($0) }, Data(record.authenticator), record.id, Data(expected)])
            return db.changesCount == 1
        }
    }

    public func keystore(_ id: String) async throws -> KeystoreRecord? {
        let start = meters.meter.start()
        defer { meters.get.record(since: start) }
        return try await read { db in
            try Self.fetchOne(db, "SELECT * FROM keystores WHERE id = ?", [id])?.keystoreRecord
        }
    }

    public func keystores(controller: String?, after: String?, limit: Int) async throws -> [KeystoreRecord] {
        let start = meters.meter.start()
        defer { meters.query.record(since: start) }
        return try await read { db in
            let rows =
                if let controller {
                    try Row.fetchAll(
                        db,
                        sql: "SELECT * FROM keystores WHERE controller = ? AND id > ? ORDER BY id LIMIT ?",
                        arguments: [controller, after ?? "", limit])
                } else {
                    try Row.fetchAll(
                        db, sql: "SELECT * FROM keystores WHERE id > ? ORDER BY id LIMIT ?",
                        arguments: [after ?? "", limit])
                }
            return rows.map { StoredRow($0).keystoreRecord }
        }
    }
}
