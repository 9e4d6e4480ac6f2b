import GRDB

/// A part of the chain that was closed, or is being closed, into a file of its own.
struct AuditPart: Sendable, Equatable {
    /// Its first record, which is the last one of the part before.
    var first: UInt64
    /// Its last record, with which what follows begins.
    var last: UInt64
    /// Of the archive's file.
    var name: String
    /// Whether the archive is whole, so that what follows begins with ``last``.
    var isClosed: Bool

    /// The archive's name, by the first record that is in it.
    static func name(first: UInt64) -> String {
        let digits = "\(first)"
        return "audit-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + ".db"
    }

    /// Where the archives of a chain are.
    static func directory(ofChain path: String) -> String { folder(of: path) + "/audit-archive" }

    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension AuditTables {
    /// In order; empty for a file of the first version.
    static func parts(_ db: Database) throws -> [AuditPart] {
        guard try db.tableExists("parts") else { return [] }
        return try Row.fetchAll(db, sql: "SELECT last, first, name, closed FROM parts ORDER BY last").map {
            AuditPart(
                first: number($0, "first"), last: number($0, "last"), name: text($0, "name"),
                isClosed: number($0, "closed") != 0)
        }
    }

    /// Index of the record with which the file begins.
    static func base(_ db: Database) throws -> UInt64 { try parts(db).last(where: \.isClosed)?.last ?? 1 }

    static func insert(_ db: Database, _ part: AuditPart) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO parts (last, first, name, closed) VALUES (?, ?, ?, ?)",
            arguments: [
                Int64(bitPattern: part.last), Int64(bitPattern: part.first), part.name, part.isClosed ? 1 : 0,
            ])
    }
}
