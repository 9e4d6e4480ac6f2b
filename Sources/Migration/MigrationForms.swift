import Foundation
import GRDB
public import Storage

/// The forms of records for the token that they move to, in a file of their own beside the databases, which stay as they are.
///
/// A form is kept with a hash of the row that it was made from. One whose row was changed since is none any more, and one whose
/// row is gone hurts nobody. Nothing in the file is secret without the token.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
public final class MigrationForms: Sendable {
    static let schema = SQLiteSchema(
        applicationID: 0x6B6D_6D67,
        steps: [
            """
            CREATE TABLE forms (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                row_hash BLOB NOT NULL,
                form BLOB NOT NULL,
                PRIMARY KEY (kind, name)
            ) STRICT, WITHOUT ROWID;
            """
        ])

    /// A record's form for the token that it moves to.
    public struct Form: Sendable, Hashable {
        public var name: String
        /// SHA-256 of the row that it was made from.
        public var row: [UInt8]
        public var bytes: [UInt8]

        public init(name: String, row: [UInt8], bytes: [UInt8]) {
            self.name = name
            self.row = row
            self.bytes = bytes
        }
    }

    private let pool: DatabasePool

    /// Opens or makes the file. Blocks for a few file operations.
    public init(path: String) throws(StorageError) {
        pool = try SQLiteFile.open(path: path, label: "kmsd.migration", schema: Self.schema)
    }

    public func close() throws { try SQLiteFile.close(pool) }

    /// Nil for a record that has none.
    public func form(_ kind: String, _ name: String) async throws -> Form? {
        try await pool.read { db in
            try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT name, row_hash, form FROM forms WHERE kind = ? AND name = ?"),
                arguments: [kind, name]
            ).flatMap(Self.form)
        }
    }

    /// Stores forms in one transaction, in place of earlier ones of the same records.
    public func put(_ forms: [Form], of kind: String) async throws {
        guard !forms.isEmpty else { return }
        try await pool.write { db in
            let statement = try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO forms (kind, name, row_hash, form) VALUES (?, ?, ?, ?)")
            for form in forms {
                try statement.execute(arguments: [kind, form.name, Data(form.row), Data(form.bytes)])
            }
        }
    }

    /// How many there are of each kind, in a file that is only read.
    public static func counts(ofFile path: String) throws -> [(kind: String, count: Int)] {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "migration", schema: schema)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: "SELECT kind, COUNT(*) AS count FROM forms GROUP BY kind ORDER BY kind").map {
                (String.fromDatabaseValue($0["kind"]) ?? "", Int.fromDatabaseValue($0["count"]) ?? 0)
            }
        }
    }

    /// Nil for a row with values of other types.
    private static func form(_ row: Row) -> Form? {
        guard let name = String.fromDatabaseValue(row["name"]), let hash = Data.fromDatabaseValue(row["row_hash"]),
            let bytes = Data.fromDatabaseValue(row["form"])
        else { return nil }
        return Form(name: name, row: Array(hash), bytes: Array(bytes))
    }
}
