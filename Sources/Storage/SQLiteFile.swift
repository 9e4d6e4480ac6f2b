public import GRDB
import Glibc
public import Synchronization

/// Opens the daemon's SQLite files, all in one way: write-ahead log, flushed to the disk at every commit
/// (`synchronous=FULL`), deleted bytes overwritten (`secure_delete`), mode 0600.
public enum SQLiteFile {
    /// How long a write waits for another process, from when it was asked for.
    static let patience = Duration.milliseconds(busyMilliseconds)
    static let busyMilliseconds = 5000
    /// Most readers of one database, whatever it is opened with; lowered at start where descriptors are few.
    public static let mostReaders = Atomic<Int>(4)

    /// Opens or makes a database and brings it to the newest version. Blocks for a few file operations.
    ///
    /// - Parameters:
    ///   - path: Its directory must exist.
    ///   - label: Names the database in queues and messages.
    ///   - readers: How many threads may read at once.
    public static func open(
        path: String, label: String, schema: SQLiteSchema, readers: Int = 4
    ) throws(StorageError) -> DatabasePool {
        try DatabaseFiles.prepare(path: path)
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = max(1, min(readers, mostReaders.load(ordering: .relaxed)))
        configuration.label = label
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        }
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // The pool sets NORMAL after its preparation, so FULL is set here, and proven.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try expect(db, "synchronous", 2)
                try expect(db, "foreign_keys", 1)
                try expect(db, "secure_delete", 1)
                try schema.migrate(db)
            }
            return pool
        } catch {
            throw translate(error, path)
        }
    }

    /// Closes a database after what is under way, so that a copy of the file alone is whole.
    ///
    /// GRDB closes its readers last, and the connection that is last must be one that writes to take the log into the file
    /// and remove it; so the readers go first. Beside another process the log stays, with every page of it in the file.
    public static func close(_ pool: DatabasePool) throws {
        pool.invalidateReadOnlyConnections()
        // Best effort: somebody may be reading an older page, and the log keeps what the file lacks.
        _ = try? pool.writeWithoutTransaction { db in try db.checkpoint(.passive) }
        try pool.close()
    }

    /// Opens a database only to read it, also beside the daemon that writes it.
    ///
    /// - Throws: also if the file holds no table of the schema.
    public static func openReadOnly(
        path: String, label: String, schema: SQLiteSchema
    ) throws(StorageError) -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = label
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA trusted_schema = OFF") }
        do {
            for name in DatabaseFiles.names(of: path) {
                // Who opens a pipe waits until somebody writes into it.
                var status = stat()
                guard stat(name, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
                    throw StorageError("'\(name)' is not a regular file.", kind: .unfit)
                }
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            guard try queue.read(schema.version(of:)) > 0 else {
                throw StorageError("The file is empty.", kind: .unfit)
            }
            return queue
        } catch {
            throw translate(error, path)
        }
    }

    private static func translate(_ error: any Error, _ path: String) -> StorageError {
        var error = error as? StorageError ?? StorageError(remedy(error), kind: kind(error), underlying: error)
        error.message = "'\(path)': \(error.message)"
        return error
    }

    /// Whether another try may help after a failure of SQLite.
    static func kind(_ error: any Error) -> StorageError.Kind {
        switch (error as? DatabaseError)?.resultCode {
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: .closed
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: .unfit
        default: .away
        }
    }

    /// What an operator can do about a failure of SQLite.
    public static func remedy(_ error: any Error) -> String {
        switch (error as? DatabaseError)?.resultCode {
        case .SQLITE_FULL: "the disk or the file size limit is full; free space"
        case .SQLITE_IOERR: "the disk refused or is full; free space, or see the system's log"
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
            "the files or their directory may not be written; check owner and mode, and whether the disk is "
                + "read-only"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "another process holds the database"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: "the file is damaged; restore a backup"
        default: (error as? DatabaseError)?.message.map { "SQLite says: \($0)" } ?? "see the error"
        }
    }

    private static func expect(_ db: Database, _ pragma: String, _ value: Int) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA \(pragma)")
        guard found == value else {
            throw StorageError("SQLite keeps \(pragma) at \(found.map(String.init) ?? "nothing") instead of \(value).")
        }
    }
}
