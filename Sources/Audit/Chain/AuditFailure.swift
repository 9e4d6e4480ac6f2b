import GRDB
import Storage

/// Turns what SQLite says into what the chain says.
enum AuditFailure {
    static func translate(_ error: any Error) -> AuditError {
        switch error {
        case let error as AuditError: return error
        case let error as StorageError:
            return AuditError(.unavailable, "The audit chain cannot be used: \(error)", underlying: error)
        default: break
        }
        let code = (error as? DatabaseError)?.resultCode
        let remedy =
            code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
            ? "the file is damaged; run `kmsd audit verify`" : SQLiteFile.remedy(error)
        return AuditError(.unavailable, "The audit chain cannot be used now: \(remedy).")
    }

    /// For the domain of a failed read that must not be mistaken for a missing value.
    static func translating<R>(_ body: () throws -> R) throws(AuditError) -> R {
        do { return try body() } catch { throw translate(error) }
    }
}
