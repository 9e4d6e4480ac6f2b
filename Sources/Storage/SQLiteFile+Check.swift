import GRDB

extension SQLiteFile {
    /// Asks SQLite to check a file's structure and its indexes (`PRAGMA integrity_check`); reads the whole file and changes
    /// nothing, not even a version that is old.
    ///
    /// - Returns: What is wrong, one sentence each; empty for a sound file.
    /// - Concurrency: on a reader thread of the queue; nothing blocks the caller's.
    public static func check(path: String) async throws(StorageError) -> [String] {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = "check"
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let lines = try await queue.read { db in try String.fetchAll(db, sql: "PRAGMA integrity_check(20)") }
            try queue.close()
            return lines.filter { $0 != "ok" }
        } catch {
            throw StorageError("'\(path)': \(remedy(error))", kind: kind(error), underlying: error)
        }
    }
}
