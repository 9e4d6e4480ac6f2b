public import Capabilities
import Foundation
import GRDB
import Storage

/// Used request signatures that are dated ahead of the clock; all others need no row.
extension SQLiteKeystoreStore: SignatureLedger {
    /// Most that are kept. Clocks that run right need none, and a row is of use for a minute at most; it is kept for some more
    /// after a start.
    static let spentSignatureLimit = 10_000

    /// - Throws: ``KMSError`` with `.overloaded` if too many are kept, `.storageUnavailable`.
    public func keep(_ spent: SpentSignature, owner: String, now: Int64) async throws {
        guard ahead.take(owner, created: spent.created, now: now) else {
            throw KMSError(
                .overloaded,
                "Too many requests for this keystore or of this token are dated ahead of this server's clock; set the "
                    + "client's clock, or try again when their time has come.")
        }
        do {
            try await write(spent, now: now)
        } catch {
            ahead.giveBack(owner, created: spent.created)
            throw error
        }
    }

    private func write(_ spent: SpentSignature, now: Int64) async throws {
        let past = ahead.past(now: now)
        // An older copy of the file would let it be used once more.
        _ = try await lowering { [self] db in
            if let past { try change(db, "DELETE FROM spent_signatures WHERE created <= ?", [past]) }
            let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM spent_signatures") ?? 0
            guard count < Self.spentSignatureLimit else {
                throw KMSError(
                    .overloaded,
                    "Too many requests are dated ahead of this server's clock; try again when their time has come.")
            }
            try change(
                db, "INSERT OR IGNORE INTO spent_signatures (name, created) VALUES (?, ?)",
                [Data(spent.name), spent.created])
            return true
        }
    }

    /// What a start must refuse besides everything dated before `since`. Blocks for one read.
    ///
    /// - Throws: ``KMSError`` with `.storageUnavailable`.
    public func earlierSignatures(since: Int64) throws -> EarlierSignatures {
        do {
            return try pool.read { db in
                let rows = try Row.fetchAll(
                    db, sql: "SELECT name, created FROM spent_signatures WHERE created >= ?", arguments: [since])
                return EarlierSignatures(
                    since: since,
                    spent: rows.map {
                        SpentSignature(name: StoredRow($0).bytes("name"), created: StoredRow($0).number("created"))
                    })
            }
        } catch {
            throw StoreFailure.translate(error)
        }
    }
}
