import Storage

/// Turns what SQLite says into what the domain says.
enum StoreFailure {
    static func translate(_ error: any Error) -> KMSError {
        if let error = error as? KMSError { return error }
        if let error = error as? StorageError {
            return KMSError(
                .storageUnavailable, "The database cannot be used.", detail: error.message, underlying: error)
        }
        return KMSError(
            .storageUnavailable, "The key store is not available now; nothing was changed.",
            detail: SQLiteFile.remedy(error), underlying: error)
    }

    /// For the writer that groups changes: the domain's own error concerns one change alone.
    static let ofWrites = GroupCommit.Errors(
        overloaded: { KMSError(.overloaded, "Too many changes wait to be stored; try again.") },
        isRefusal: { $0 is KMSError }, translated: { translate($0) })
}
