import GRDB

/// Turns what SQLite says into what the chain says.
enum AuditFailure {
    static func translate(_ error: any Error) -> AuditError {
        if let error = error as? AuditError { return error }
        let code = (error as? DatabaseError)?.resultCode
        let remedy =
            switch code {
            case .SQLITE_FULL: "the disk or the file size limit is full; free space"
            case .SQLITE_IOERR: "the disk refused; see the system's log"
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
                "the files or their directory may not be written; check owner and mode"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another process holds the file"
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: "the file is damaged; run `kmsd audit verify`"
            case let code?: "SQLite says \(code.rawValue)"
            case nil: "\(type(of: error))"
            }
        return AuditError(.unavailable, "The audit chain cannot be used now: \(remedy).")
    }

    /// For the domain of a failed read that must not be mistaken for a missing value.
    static func translating<R>(_ body: () throws -> R) throws(AuditError) -> R {
        do { return try body() } catch { throw translate(error) }
    }
}
