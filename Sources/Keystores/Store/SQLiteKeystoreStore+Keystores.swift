import Foundation
import GRDB
import PrometheusMetrics
import Storage

extension SQLiteKeystoreStore {
    private static let total = "SELECT COUNT(*) FROM keystores"

    public func insertKeystore(_ record: KeystoreRecord, limits: KeystoreLimits) async throws {
        let start = meters.meter.start()
        defer { meters.put.record(since: start) }
        try await writer.perform { [self] db in
            guard try !exists(db, "SELECT 1 FROM keystores WHERE id = ?", [record.id]) else {
                throw KMSError(.alreadyExists, "The keystore '\(record.id)' exists already.")
            }
            let count = try countRows(db, "SELECT COUNT(*) FROM keystores WHERE controller = ?", record.controller)
            guard count < limits.controller else {
                throw KMSError(
                    .quotaExceeded, "This controller has \(limits.controller) keystores, which is the limit.")
            }
            let total = try countRows(db, Self.total)
            guard limits.total == 0 || total < limits.total else {
                throw KMSError(
                    .quotaExceeded,
                    "This server has \(limits.total) keystores, as many as it may (most-keystores); retired ones count. Its "
                        + "operator can raise that.")
            }
            try countKeystore(of: limits.maker, db)
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
            setCount(total + 1, Self.total)
        }
    }

    /// One more keystore of its maker's.
    private func countKeystore(of maker: KeystoreMaker?, _ db: Database) throws {
        guard let maker, maker.limit > 0 else { return }
        let name = Data(maker.name.utf8.prefix(KeystoreMaker.longestName))
        let made = try Int.fetchOne(db, sql: "SELECT count FROM keystore_makers WHERE maker = ?", arguments: [name])
        guard made ?? 0 < maker.limit else {
            throw KMSError(
                .quotaExceeded,
                "This caller has made \(maker.limit) keystores, as many as one may (keystores-per-caller); retired ones "
                    + "count. Use one that is there, or ask the server's operator to raise that.")
        }
        try change(
            db,
            "INSERT INTO keystore_makers (maker, count) VALUES (?, 1) "
                + "ON CONFLICT (maker) DO UPDATE SET count = count + 1", [name])
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

    /// An older copy of the row has fewer slots and nothing that was taken back, so the epoch is not raised.
    public func updateLockRecord(_ record: KeystoreRecord, expecting expected: [UInt8]) async throws -> Bool {
        let start = meters.meter.start()
        defer { meters.put.record(since: start) }
        return try await writer.perform { [self] db in
            try change(
                db, "UPDATE keystores SET lock_record = ?, authenticator = ? WHERE id = ? AND authenticator = ?",
                [Data(record.lockRecord), Data(record.authenticator), record.id, Data(expected)])
            return db.changesCount == 1
        }
    }

    public func keystore(_ id: String) async throws -> KeystoreRecord? {
        let start = meters.meter.start()
        defer { meters.get.record(since: start) }
        return try await read { [seal] db in
            try Self.fetchOne(db, "SELECT * FROM keystores WHERE id = ?", [id]).map { row in
                row.keystoreRecord(isAccepted: seal.accepts(row.row, of: "keystores"))
            }
        }
    }

    public func keystores(controller: String?, after: String?, limit: Int) async throws -> [KeystoreRecord] {
        let start = meters.meter.start()
        defer { meters.query.record(since: start) }
        return try await read { [seal] db in
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
            return rows.map { StoredRow($0).keystoreRecord(isAccepted: seal.accepts($0, of: "keystores")) }
        }
    }
}
