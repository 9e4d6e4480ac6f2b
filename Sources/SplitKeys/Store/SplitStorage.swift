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
                .storageUnavailable, "the split-key store cannot be used", detail: error.detail,
                underlying: error.underlying)
        }
    }

    static func read<R: Sendable>(
        _ pool: DatabasePool, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(SplitKeyError) -> R {
        do { return try await pool.read(body) } catch { throw translate(error) }
    }

    /// One transaction, durable when this returns.
    static func write(
        _ pool: DatabasePool, _ body: @escaping @Sendable (Database) throws -> Void
    ) async throws(SplitKeyError) {
        do { try await pool.write(body) } catch { throw translate(error) }
    }

    private static func translate(_ error: any Error) -> SplitKeyError {
        if let error = error as? SplitKeyError { return error }
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
