import Foundation
import GRDB
import Storage

/// What a store knows of DID keys that nothing names.
protocol DIDKeyExpiring: Sendable {
    /// DIDs of keys that were made before, by name.
    ///
    /// - Parameter time: Milliseconds since 1970.
    func didKeys(madeBefore time: Int64, after: String, limit: Int) async throws -> [String]

    /// Vault records of keystores, by the keystore's id.
    func vaultRecords(after: String, limit: Int) async throws -> [(keystore: String, vault: [UInt8])]

    /// Replaces a key's sealed bytes and their lock if the stored ones are still `expected`.
    func reseal(_ record: DIDKeyRecord, expecting expected: [UInt8]) async throws -> Bool

    /// Removes keys; each is asked about in the transaction that removes it.
    ///
    /// - Returns: How many were removed.
    func removeDIDKeys(_ dids: [String], unless isNamed: @escaping @Sendable (String) -> Bool) async throws -> Int
}

extension SQLiteKeystoreStore: DIDKeyExpiring {
    func didKeys(madeBefore time: Int64, after: String, limit: Int) async throws -> [String] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT did FROM did_keys WHERE created_at < ? AND did > ? ORDER BY did LIMIT ?",
                arguments: [time, after, limit]
            ).map { StoredRow($0).text("did") }
        }
    }

    func vaultRecords(after: String, limit: Int) async throws -> [(keystore: String, vault: [UInt8])] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, vault FROM keystores WHERE vault IS NOT NULL AND id > ? ORDER BY id LIMIT ?",
                arguments: [after, limit]
            ).map { (StoredRow($0).text("id"), StoredRow($0).bytes("vault")) }
        }
    }

    func reseal(_ record: DIDKeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        try await writer.perform { [self] db in
            try change(
                db, "UPDATE did_keys SET lock_kind = ?, lock_identity = ?, sealed = ? WHERE did = ? AND sealed = ?",
                [record.lockKind, record.lockIdentity, Data(record.sealed), record.did, Data(expected)])
            return db.changesCount == 1
        }
    }

    func removeDIDKeys(_ dids: [String], unless isNamed: @escaping @Sendable (String) -> Bool) async throws -> Int {
        try await writer.perform(erases: true) { [self] db in
            let sql = "SELECT COUNT(*) FROM did_keys"
            let count = try countRows(db, sql)
            var removed = 0
            for did in dids where !isNamed(did) {
                try change(db, "DELETE FROM did_keys WHERE did = ?", [did])
                removed += db.changesCount
            }
            setCount(max(0, count - removed), sql)
            return removed
        }
    }
}
