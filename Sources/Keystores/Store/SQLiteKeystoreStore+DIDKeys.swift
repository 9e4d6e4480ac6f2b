import Foundation
import GRDB
import Storage

extension SQLiteKeystoreStore {
    public func insertDIDKey(_ record: DIDKeyRecord, limit: Int) async throws {
        try await writer.perform { [self] db in
            let sql = "SELECT COUNT(*) FROM did_keys"
            let count = try countRows(db, sql)
            guard count < limit else {
                throw KMSError(.quotaExceeded, "This daemon has \(limit) DID keys, which is the limit.")
            }
            try change(
                db,
                "INSERT INTO did_keys (did, lock_kind, lock_identity, sealed, created_at) VALUES (?, ?, ?, ?, ?)",
                [record.did, record.lockKind, record.lockIdentity, Data(record.sealed), record.createdAt])
            setCount(count + 1, sql)
        }
    }

    public func didKey(_ did: String) async throws -> DIDKeyRecord? {
        try await read { db in
            try Self.fetchOne(db, "SELECT * FROM did_keys WHERE did = ?", [did])?.didKeyRecord
        }
    }
}
