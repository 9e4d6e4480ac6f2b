package import GRDB

extension SQLiteFile {
    /// Opens or makes a database that is one file once it is closed, without companions, so that it can be carried elsewhere and
    /// read from a medium that takes no writing. Flushed to the disk at every commit. Blocks for a few file operations.
    package static func openSingle(
        path: String, label: String, schema: SQLiteSchema
    ) throws(StorageError) -> DatabaseQueue {
        try DatabaseFiles.prepare(path: path)
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = label
        configuration.prepareDatabase { db in
            try db.execute(
                sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in try schema.migrate(db) }
            return queue
        } catch {
            throw error as? StorageError ?? StorageError(remedy(error), kind: kind(error), underlying: error)
        }
    }
}
