import GRDB

extension SQLiteKeystoreStore {
    /// Asks SQLite to check the file's structure (`PRAGMA quick_check`); reads the whole file.
    ///
    /// - Returns: What is wrong, one sentence each; empty for a sound file.
    /// - Throws: ``KMSError`` with `.storageUnavailable`.
    /// - Concurrency: on a reader thread of the pool; nothing blocks the caller's.
    public func check() async throws -> [String] {
        do {
            return try await pool.read { db in try String.fetchAll(db, sql: "PRAGMA quick_check(20)") }
                .filter { $0 != "ok" }
        } catch {
            throw StoreFailure.translate(error)
        }
    }
}
