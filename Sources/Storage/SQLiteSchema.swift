public import GRDB

/// A database's tables as numbered steps, applied forward only.
public struct SQLiteSchema: Sendable {
    /// Marks the file as this kind of database (`PRAGMA application_id`).
    public let applicationID: Int
    /// Step n makes version n, which `PRAGMA user_version` stores; a released step is never edited.
    public let steps: [String]

    public init(applicationID: Int, steps: [String]) {
        self.applicationID = applicationID
        self.steps = steps
    }

    /// The version of an opened database, 0 for an empty one.
    ///
    /// - Throws: ``StorageError`` for a database of a newer program or of another one, or whose schema was changed; GRDB's
    ///   errors.
    public func version(of db: Database) throws -> Int {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let owner = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
        guard owner == applicationID || (owner == 0 && found == 0 && isEmpty) else {
            throw StorageError(
                "The file is a database of another program; give kmsd a file of its own.", kind: .unfit)
        }
        guard found <= steps.count else {
            throw StorageError(
                "It has schema version \(found) and this program knows \(steps.count): "
                    + "start the newer program that wrote it, or restore a backup.", kind: .unfit)
        }
        try verify(db, version: found)
        return found
    }

    /// Brings the database to the newest version in one transaction.
    func migrate(_ db: Database) throws {
        let found = try version(of: db)
        guard found < steps.count else { return }
        try db.inTransaction(.immediate) {
            for step in steps[found...] { try db.execute(sql: step) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(steps.count)")
            return .commit
        }
    }
}
