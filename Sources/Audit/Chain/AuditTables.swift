import Foundation
import GRDB

/// Reads and writes rows. A value of the wrong type reads as empty, and the hash refuses it.
enum AuditTables {
    struct StoredRecord: Sendable {
        var index: UInt64
        var body: [UInt8]
        var hash: [UInt8]

        init(_ row: Row) {
            index = AuditTables.number(row, "idx")
            body = AuditTables.bytes(row, "body")
            hash = AuditTables.bytes(row, "hash")
        }
    }

    struct Revocation: Sendable, Equatable {
        var epoch: UInt64
        var index: UInt64
        var subject: String
    }

    static func insert(_ db: Database, index: UInt64, body: [UInt8], hash: [UInt8]) throws {
        try insert(try insertion(db), index: index, body: body, hash: hash)
    }

    static func insert(_ insertion: Statement, index: UInt64, body: [UInt8], hash: [UInt8]) throws {
        try insertion.execute(arguments: [Int64(bitPattern: index), Data(body), Data(hash)])
    }

    /// What ``insert(_:index:body:hash:)`` executes; looked up once for many records.
    static func insertion(_ db: Database) throws -> Statement {
        try db.cachedStatement(sql: "INSERT INTO records (idx, body, hash) VALUES (?, ?, ?)")
    }

    static func insert(_ db: Database, _ revocation: Revocation) throws {
        try db.execute(
            sql: "INSERT INTO revocations (epoch, idx, subject) VALUES (?, ?, ?)",
            arguments: [
                Int64(bitPattern: revocation.epoch), Int64(bitPattern: revocation.index), revocation.subject,
            ])
    }

    static func insert(_ db: Database, _ checkpoint: AuditCheckpoint) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO checkpoints (idx, body, public_key, signature) VALUES (?, ?, ?, ?)",
            arguments: [
                Int64(bitPattern: checkpoint.position.index), Data(checkpoint.encoded), Data(checkpoint.publicKey),
                Data(checkpoint.signature),
            ])
    }

    static func lastRecord(_ db: Database) throws -> StoredRecord? {
        try Row.fetchOne(db, sql: "SELECT idx, body, hash FROM records ORDER BY idx DESC LIMIT 1").map(
            StoredRecord.init)
    }

    static func record(_ db: Database, _ index: UInt64) throws -> StoredRecord? {
        try Row.fetchOne(
            db, sql: "SELECT idx, body, hash FROM records WHERE idx = ?", arguments: [Int64(bitPattern: index)]
        ).map(StoredRecord.init)
    }

    /// In order of index, from `index` on.
    static func records(_ db: Database, from index: UInt64) throws -> RowCursor {
        try Row.fetchCursor(
            db, sql: "SELECT idx, body, hash FROM records WHERE idx >= ? ORDER BY idx",
            arguments: [Int64(bitPattern: index)])
    }

    static func revocations(_ db: Database) throws -> [Revocation] {
        try Row.fetchAll(db, sql: "SELECT epoch, idx, subject FROM revocations ORDER BY epoch").map {
            Revocation(epoch: number($0, "epoch"), index: number($0, "idx"), subject: text($0, "subject"))
        }
    }

    struct StoredCheckpoint: Sendable {
        var index: UInt64
        /// Nil if the row does not have the form of a checkpoint, or of one at another index.
        var checkpoint: AuditCheckpoint?

        init(_ row: Row) {
            index = AuditTables.number(row, "idx")
            let found = AuditCheckpoint(
                encoded: AuditTables.bytes(row, "body"), publicKey: AuditTables.bytes(row, "public_key"),
                signature: AuditTables.bytes(row, "signature"))
            checkpoint = found?.position.index == index ? found : nil
        }
    }

    /// In order of index, after `index`.
    static func checkpoints(_ db: Database, after index: UInt64) throws -> RowCursor {
        try Row.fetchCursor(
            db, sql: "SELECT idx, body, public_key, signature FROM checkpoints WHERE idx > ? ORDER BY idx",
            arguments: [Int64(bitPattern: index)])
    }

    static func checkpoint(_ db: Database, _ index: UInt64) throws -> StoredCheckpoint? {
        try Row.fetchOne(
            db, sql: "SELECT idx, body, public_key, signature FROM checkpoints WHERE idx = ?",
            arguments: [Int64(bitPattern: index)]
        ).map(StoredCheckpoint.init)
    }

    static func lastCheckpoint(_ db: Database) throws -> StoredCheckpoint? {
        try Row.fetchOne(
            db, sql: "SELECT idx, body, public_key, signature FROM checkpoints ORDER BY idx DESC LIMIT 1"
        ).map(StoredCheckpoint.init)
    }

    static func number(_ row: Row, _ column: String) -> UInt64 {
        if case .int64(let number) = value(row, column).storage { UInt64(bitPattern: number) } else { 0 }
    }

    private static func bytes(_ row: Row, _ column: String) -> [UInt8] {
        if case .blob(let data) = value(row, column).storage { [UInt8](data) } else { [] }
    }

    static func text(_ row: Row, _ column: String) -> String {
        String.fromDatabaseValue(value(row, column)) ?? ""
    }

    private static func value(_ row: Row, _ column: String) -> DatabaseValue { row[column] ?? .null }
}
