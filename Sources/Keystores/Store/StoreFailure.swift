import GRDB

/// Turns what SQLite says into what the domain says.
enum StoreFailure {
    static func translate(_ error: any Error) -> KMSError {
        if let error = error as? KMSError { return error }
        let code = (error as? DatabaseError)?.resultCode
        let remedy =
            switch code {
            case .SQLITE_FULL: "the disk or the file size limit is full; free space"
            case .SQLITE_IOERR: "the disk refused; see the system's log"
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
                "the files or their directory may not be written; check owner and mode"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another process holds the database"
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: "the file is damaged; restore a backup"
            default: "see the error"
            }
        return KMSError(
            .storageUnavailable, "The key store is not available now; nothing was changed.", detail: remedy,
            underlying: error)
    }

    /// Whether a failed batch is worth another try write by write, because a damaged page may concern one key only.
    static func concernsOneRow(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return code == .SQLITE_CORRUPT || code == .SQLITE_CONSTRAINT
    }
}
