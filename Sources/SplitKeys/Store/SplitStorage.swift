import Foundation
import GRDB
import Storage

/// What both roles' stores have in common.
enum SplitStorage {
    static func open(path: String, label: String, schema: SQLiteSchema) throws(SplitKeyError) -> DatabasePool {
        do {
            return try SQLiteFile.open(path: path, label: label, schema: schema)
        } catch {
            throw SplitKeyError(
                .storageUnavailable, "the split-key store cannot be used", detail: error.message,
                underlying: error)
        }
    }

    static func seal(
        name: String, path: String, pool: DatabasePool, tables: [SealedTable]
    ) throws(SplitKeyError) -> StateSeal {
        do { return try StateSeal(name: name, path: path, pool: pool, tables: tables) } catch { throw translate(error) }
    }

    /// - Throws: also for a file that is not proven to be the one that was written last.
    static func read<R: Sendable>(
        _ pool: DatabasePool, _ seal: StateSeal, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(SplitKeyError) -> R {
        do {
            try seal.permit()
            return try await pool.read(body)
        } catch {
            throw translate(error)
        }
    }

    /// What a write means for the file's epoch.
    enum Weight {
        /// An older copy of the file would undo it.
        case lowers
        /// An older copy would lack it, and that is all.
        case adds
        /// It touches nothing that decides.
        case notes
    }

    /// One transaction, durable when this returns; the audit chain has heard of a higher epoch then.
    @discardableResult static func write<R: Sendable>(
        _ pool: DatabasePool, _ seal: StateSeal, _ tell: EpochTelling, _ weight: Weight,
        _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(SplitKeyError) -> R {
        let start = ContinuousClock.now
        do {
            let (result, raised) = try await pool.writeWithoutTransaction { db -> (R?, UInt64?) in
                try seal.place.check()
                var result: R?
                var raised: UInt64?
                try SQLiteFile.transaction(db, since: start) {
                    if weight != .notes { try seal.permit() }
                    result = try body(db)
                    if weight == .lowers { raised = try seal.raise(db) }
                    if weight != .notes, seal.isOpen { try seal.finish(db) }
                    return .commit
                }
                return (result, raised)
            }
            if let raised {
                seal.settle(raised)
                try await tell.tell()
            }
            guard let result else { throw SplitKeyError(.internalFailure, "internal error") }
            return result
        } catch {
            throw translate(error)
        }
    }

    private static func translate(_ error: any Error) -> SplitKeyError {
        if let error = error as? SplitKeyError { return error }
        // A row that this one belongs to is gone, or another one has its name: nothing is wrong with the store.
        if (error as? DatabaseError)?.resultCode == .SQLITE_CONSTRAINT { return .lostRace }
        if let error = error as? StorageError {
            return SplitKeyError(
                .storageUnavailable, "the split-key store cannot be used now; nothing was changed",
                detail: error.message, underlying: error)
        }
        return SplitKeyError(
            .storageUnavailable, "the split-key store is not available now; nothing was changed",
            detail: SQLiteFile.remedy(error), underlying: error)
    }

    /// A JSON array of strings.
    static func encode(_ names: [String]) throws(SplitKeyError) -> String {
        do { return String(decoding: try JSONEncoder().encode(names), as: UTF8.self) } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    static func decode(_ text: String) throws -> [String] {
        try JSONDecoder().decode([String].self, from: Data(text.utf8))
    }
}

/// Makes the audit chain tell a store's epoch, so that an older copy of its file shows from then on.
struct EpochTelling: Sendable {
    let tell: @Sendable () async throws -> Void
    static let none = EpochTelling {}
}

/// Reads columns that may be damaged: a value of the wrong type reads as empty, and the sealed part refuses it. GRDB's
/// own conversions would end the process.
extension Row {
    func text(_ column: String) -> String { optionalText(column) ?? "" }

    func optionalText(_ column: String) -> String? { String.fromDatabaseValue(cell(column)) }

    func number(_ column: String) -> Int64 {
        // Only integers: a stored real or text is damage, not something to convert.
        if case .int64(let number) = cell(column).storage { number } else { -1 }
    }

    func bytes(_ column: String) -> [UInt8] { optionalBytes(column) ?? [] }

    func optionalBytes(_ column: String) -> [UInt8]? {
        if case .blob(let data) = cell(column).storage { [UInt8](data) } else { nil }
    }

    private func cell(_ column: String) -> DatabaseValue { self[column] ?? .null }
}
