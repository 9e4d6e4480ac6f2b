import GRDB

/// The chain's tables as numbered steps, applied forward only; a step is never edited once released.
enum AuditSchema {
    /// Marks the file as ours (`PRAGMA application_id`): `kmsa`.
    static let applicationID = 0x6B6D_7361

    /// Step n makes version n, which `PRAGMA user_version` stores.
    ///
    /// `revocations` repeats what the records say, so that a start need not read them all; it is believed only as far as
    /// its hash agrees with the last revocation's record.
    static let steps: [String] = [
        """
        CREATE TABLE records (idx INTEGER PRIMARY KEY NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TABLE checkpoints (
            idx INTEGER PRIMARY KEY NOT NULL, body BLOB NOT NULL, public_key BLOB NOT NULL, signature BLOB NOT NULL
        ) STRICT;
        CREATE TABLE revocations (
            epoch INTEGER PRIMARY KEY NOT NULL, idx INTEGER NOT NULL UNIQUE, subject TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE probe (id INTEGER PRIMARY KEY NOT NULL, at INTEGER NOT NULL) STRICT;
        """
    ]

    /// Brings the file to the newest version in one transaction.
    static func migrate(_ db: Database) throws {
        let found = try check(db)
        guard found < steps.count else { return }
        try db.inTransaction(.immediate) {
            for step in steps[found...] { try db.execute(sql: step) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(steps.count)")
            return .commit
        }
    }

    /// - Returns: The version found.
    /// - Throws: ``AuditError`` with `.unavailable` for a file of a newer program or of another one.
    @discardableResult
    static func check(_ db: Database) throws -> Int {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let owner = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
        guard owner == applicationID || (owner == 0 && found == 0 && isEmpty) else {
            throw AuditError(.unavailable, "The file is a database of another program, not an audit chain.")
        }
        guard found <= steps.count else {
            throw AuditError(
                .unavailable,
                "The audit chain has schema version \(found) and this program knows \(steps.count): start the newer "
                    + "program that wrote it.")
        }
        return found
    }
}
