import GRDB

extension SQLiteFile {
    /// Asks SQLite to check a file's structure and its indexes (`PRAGMA integrity_check`), and looks at its texts; reads the
    /// whole file and changes nothing, not even a version that is old.
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
            let problems = try await queue.read { db in
                let lines = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
                guard lines.isEmpty else { return lines }
                // A file of somebody else's may be here, with any names: only ours are looked into.
                let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
                    .filter {
                        $0.utf8.allSatisfy { $0 == UInt8(ascii: "_") || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
                    }
                return try textFault(db, tables: tables).map { [$0] } ?? []
            }
            try queue.close()
            return problems
        } catch {
            throw StorageError("'\(path)': \(remedy(error))", kind: kind(error), underlying: error)
        }
    }
}
