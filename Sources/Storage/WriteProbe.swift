public import GRDB

/// Looks whether a database could be written now, without waiting as long as a write does.
public final class WriteProbe: Sendable {
    /// How long an answer may take; what asks has a second.
    public static let limit = Duration.milliseconds(700)

    private let pool: DatabasePool
    private let place: FilePlace
    private let probe = TimedProbe<String?>()

    public init(_ pool: DatabasePool) {
        self.pool = pool
        place = FilePlace(pool)
    }

    /// Why nothing can be written now, within ``limit``; nil if it can.
    public func problem() async -> String? {
        if let problem = place.problem { return problem }
        let pool = pool
        let answer = await probe.ask(within: Self.limit) {
            do {
                try await pool.writeWithoutTransaction { db in
                    // Shorter than a write waits, so that the reason is known in time.
                    try db.execute(sql: "PRAGMA busy_timeout = 300")
                    defer { try? db.execute(sql: "PRAGMA busy_timeout = \(SQLiteFile.busyMilliseconds)") }
                    try db.inTransaction(.immediate) { .rollback }
                }
                return nil
            } catch {
                return SQLiteFile.remedy(error)
            }
        }
        guard let answer else { return Self.late }
        return answer
    }

    /// Where there was no answer in time.
    public static let late = "it took no write within 0.7 s: another process holds the database, or the disk stalls"
}
