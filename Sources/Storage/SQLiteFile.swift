public import GRDB

/// Opens the daemon's SQLite files, all in one way: write-ahead log, flushed to the disk at every commit
/// (`synchronous=FULL`), deleted bytes overwritten (`secure_delete`), mode 0600.
public enum SQLiteFile {
    /// Opens or makes a database and brings it to the newest version. Blocks for a few file operations.
    ///
    /// - Parameters:
    ///   - path: Its directory must exist.
    ///   - label: Names the database in queues and messages.
    ///   - applicationID: Marks the file as this kind of database (`PRAGMA application_id`).
    ///   - steps: Step n makes version n of the schema; a released step is never edited.
    public static func open(
        path: String, label: String, applicationID: Int, steps: [String]
    ) throws(StorageError) -> DatabasePool {
        try DatabaseFiles.prepare(path: path)
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
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
                try migrate(db, applicationID, steps)
            }
            return pool
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(remedy(error), underlying: error)
        }
    }

    /// What an operator can do about a failure of SQLite.
    public static func remedy(_ error: any Error) -> String {
        switch (error as? DatabaseError)?.resultCode {
        case .SQLITE_FULL: "the disk or the file size limit is full; free space"
        case .SQLITE_IOERR: "the disk refused; see the system's log"
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
            "the files or their directory may not be written; check owner and mode"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "another process holds the database"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: "the file is damaged; restore a backup"
        default: "see the error"
        }
    }

    private static func expect(_ db: Database, _ pragma: String, _ value: Int) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA \(pragma)")
        guard found == value else {
            throw StorageError("SQLite keeps \(pragma) at \(found.map(String.init) ?? "nothing") instead of \(value).")
        }
    }

    private static func migrate(_ db: Database, _ applicationID: Int, _ steps: [String]) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let owner = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        if found == steps.count && owner == applicationID { return }
        guard found <= steps.count else {
            throw StorageError(
                "It has schema version \(found) and this program knows \(steps.count): "
                    + "start the newer program that wrote it, or restore a backup.")
        }
        let isForeign = owner != applicationID && !(owner == 0 && found == 0)
        let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        guard !isForeign, found > 0 || tables == 0 else {
            throw StorageError("The file is a database of another program; give kmsd a file of its own.")
        }
        try db.inTransaction(.immediate) {
            for step in steps[found...] { try db.execute(sql: step) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(steps.count)")
            return .commit
        }
    }
}
