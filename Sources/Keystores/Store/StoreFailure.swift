import GRDB
import Storage

/// Turns what SQLite says into what the domain says.
enum StoreFailure {
    static func translate(_ error: any Error) -> KMSError {
        if let error = error as? KMSError { return error }
        if let error = error as? StorageError {
            return KMSError(
                .storageUnavailable, "The database cannot be used.", detail: error.detail, underlying: error)
        }
        return KMSError(
            .storageUnavailable, "The key store is not available now; nothing was changed.",
            detail: SQLiteFile.remedy(error), underlying: error)
    }

    /// Whether a failed batch is worth another try write by write, because a damaged page may concern one key only.
    static func concernsOneRow(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return code == .SQLITE_CORRUPT || code == .SQLITE_CONSTRAINT
    }
}
