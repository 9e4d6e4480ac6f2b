public import Decryption
import EnclaveLock
import Foundation
import GRDB
import Storage
import TFHE

extension DecryptionStore: DecryptionKeyStoring {
    public func keys() async throws(DecryptionError) -> [DecryptionKeyRecord] {
        try await read { [seal] db in
            try Row.fetchAll(db, sql: "SELECT * FROM keys ORDER BY created_at, id").map { try Self.key($0, seal) }
        }
    }

    public func key(_ id: String) async throws(DecryptionError) -> DecryptionKeyRecord? {
        let (known, generation) = knownKeys.key(id)
        if let known {
            do { try seal.permit() } catch { throw Self.translate(error) }
            return known
        }
        let key = try await read { [seal] db in
            try Row.fetchOne(try db.cachedStatement(sql: "SELECT * FROM keys WHERE id = ?"), arguments: [id])
                .map { try Self.key($0, seal) }
        }
        if let key { knownKeys.learn(key, generation: generation) }
        return key
    }

    public func insert(_ record: DecryptionKeyRecord) async throws(DecryptionError) {
        // A copy without it would let the name be given away again.
        try await write(lowers: true) { db in
            guard try Row.fetchOne(db, sql: "SELECT 1 FROM keys WHERE id = ?", arguments: [record.id]) == nil else {
                throw DecryptionError(.alreadyExists, "key-exists", "there is a key of that name, or was")
            }
            try db.execute(
                sql:
                    "INSERT INTO keys (id, message_modulus, carry_modulus, key_order, length, state, fingerprint, "
                    + "lock_kind, lock_identity, sealed_lock_key, envelope, created_at) "
                    + "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    record.id, Int64(record.parameters.messageModulus), Int64(record.parameters.carryModulus),
                    Int64(record.parameters.order.rawValue), record.parameters.length, record.state.rawValue,
                    Data(record.fingerprint), record.lockKind.rawValue, record.lockIdentity,
                    Data(record.sealedLockKey), Data(record.envelope), record.createdAt,
                ])
        }
    }

    public func set(_ state: DecryptionKeyRecord.State, of id: String) async throws(DecryptionError) {
        try await write(lowers: true) { db in
            let erased = state == .destroyed ? ", sealed_lock_key = x'', envelope = x''" : ""
            try db.execute(
                sql: "UPDATE keys SET state = ?\(erased) WHERE id = ? AND state <> 'destroyed'",
                arguments: [state.rawValue, id])
            guard db.changesCount == 1 else {
                throw DecryptionError(
                    .precondition, "key-destroyed", "there is no such key, or it is destroyed, which is for good")
            }
        }
    }

    private static func key(_ row: Row, _ seal: StateSeal) throws -> DecryptionKeyRecord {
        guard seal.accepts(row, of: "keys") else { throw damaged }
        return try key(row)
    }

    /// What a row says; no row of ours has a name or a fingerprint of another form.
    static func key(_ row: Row) throws -> DecryptionKeyRecord {
        guard let id = String.fromDatabaseValue(row["id"]),
            let message = Int64.fromDatabaseValue(row["message_modulus"]).flatMap({ UInt64(exactly: $0) }),
            let carry = Int64.fromDatabaseValue(row["carry_modulus"]).flatMap({ UInt64(exactly: $0) }),
            let order = Int64.fromDatabaseValue(row["key_order"]).flatMap({ UInt32(exactly: $0) }).flatMap(
                KeyOrder.init(rawValue:)),
            let length = Int.fromDatabaseValue(row["length"]),
            let parameters = try? KeyParameters(
                messageModulus: message, carryModulus: carry, order: order, length: length),
            let state = String.fromDatabaseValue(row["state"]).flatMap(DecryptionKeyRecord.State.init(rawValue:)),
            let fingerprint = Data.fromDatabaseValue(row["fingerprint"]),
            let lockKind = String.fromDatabaseValue(row["lock_kind"]).flatMap(LockKind.init(rawValue:)),
            let lockIdentity = String.fromDatabaseValue(row["lock_identity"]),
            let sealedLockKey = Data.fromDatabaseValue(row["sealed_lock_key"]),
            let envelope = Data.fromDatabaseValue(row["envelope"]),
            let createdAt = Int64.fromDatabaseValue(row["created_at"]), DecryptionKeyRecord.isName(id),
            fingerprint.count == 32
        else { throw damaged }
        return DecryptionKeyRecord(
            id: id, parameters: parameters, state: state, fingerprint: Array(fingerprint), lockKind: lockKind,
            lockIdentity: lockIdentity, sealedLockKey: Array(sealedLockKey), envelope: Array(envelope),
            createdAt: createdAt)
    }
}

extension DecryptionStore {
    /// Keys of a file that is only read, also beside the daemon: as the file says, unproven. Blocks for a few file operations.
    public static func keys(inFile path: String) throws -> [DecryptionKeyRecord] {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "decryption-keys", schema: schema)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM keys ORDER BY created_at, id").map(key)
        }
    }
}
