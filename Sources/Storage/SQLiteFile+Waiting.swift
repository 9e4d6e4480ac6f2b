public import GRDB

extension SQLiteFile {
    /// A transaction that waits for another process until ``patience`` after it was asked for, however long it stood in the
    /// queue behind others: so nobody waits for all of those before him one after the other.
    ///
    /// - Parameters:
    ///   - start: When it was asked for.
    ///   - body: As of `Database.inTransaction`.
    public static func transaction(
        _ db: Database, since start: ContinuousClock.Instant,
        _ body: () throws -> Database.TransactionCompletion
    ) throws {
        let waited = .now - start
        guard waited > .milliseconds(50) else { return try db.inTransaction(.immediate, body) }
        let (seconds, fraction) = max(.zero, patience - waited).components
        try db.execute(sql: "PRAGMA busy_timeout = \(seconds * 1000 + fraction / 1_000_000_000_000_000)")
        defer { try? db.execute(sql: "PRAGMA busy_timeout = \(busyMilliseconds)") }
        try db.inTransaction(.immediate, body)
    }
}
