import EnclaveLock
import Foundation
import GRDB
import SecretMemory
import Storage
import Token

/// Rows of one table that a token's key seals, each in one column.
struct SealedRowsMove: TokenSealedStore {
    /// What of a row the token seals.
    struct Part: Sendable {
        var sealed: [UInt8]
        var context: [UInt8]
    }

    /// How one table has it.
    struct Table: Sendable {
        var name: String
        var key: String
        /// The column that a form goes into.
        var column: String
        /// Nil for a row with nothing sealed in it.
        ///
        /// - Throws: for a row that is damaged.
        var part: @Sendable (Row) throws -> Part?
        /// The column's content with another form in it; nil if it is the form itself.
        var enclose: (@Sendable ([UInt8], TokenSealedSecret) throws -> [UInt8])?
        var disclose: (@Sendable ([UInt8]) throws -> [UInt8])?
    }

    let kind: String
    let pool: DatabasePool
    let seal: StateSeal
    let role: KeyRole
    let table: Table

    private static let pageLength = 32

    func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        let sql = "SELECT * FROM \(table.name) WHERE \(table.key) > ? ORDER BY \(table.key) LIMIT \(Self.pageLength)"
        return try await SplitStorage.read(pool, seal) { [self] db in
            let rows = try Row.fetchAll(db, sql: sql, arguments: [after ?? ""])
            let secrets = try rows.compactMap { row -> TokenSealedSecret? in
                guard seal.accepts(row, of: table.name) else { throw SplitKeyError.damaged(table.name) }
                guard let part = try table.part(row) else { return nil }
                return TokenSealedSecret(
                    name: row.text(table.key), role: role, sealed: part.sealed, context: part.context,
                    content: row.bytes(table.column))
            }
            return (secrets, rows.last?.text(table.key))
        }
    }

    func form(of secret: TokenSealedSecret, opened _: SharedSecret, sealed: [UInt8]) async throws -> [UInt8] {
        try table.enclose?(sealed, secret) ?? sealed
    }

    func sealed(inForm form: [UInt8]) throws -> [UInt8] { try table.disclose?(form) ?? form }

    func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        let sql = "UPDATE \(table.name) SET \(table.column) = ? WHERE \(table.key) = ? AND \(table.column) = ?"
        return try await SplitStorage.write(pool, seal, .none, .adds) { db in
            try db.execute(sql: sql, arguments: [Data(form), secret.name, Data(secret.content)])
            return db.changesCount == 1
        }
    }
}
