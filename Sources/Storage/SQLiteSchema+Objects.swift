import Encodings
import GRDB

/// What a file declares, compared with what its schema makes. A trigger, a view or another index of somebody else's would
/// run inside our transactions and undo them, with the answer already given.
extension SQLiteSchema {
    /// A line of `sqlite_master`. No field is trusted to be text.
    struct Object: Hashable, Comparable {
        var kind: ExactText
        var name: ExactText
        var table: ExactText
        var sql: ExactText

        init(_ row: Row) {
            func text(_ column: String) -> String {
                if case .string(let text) = ((row[column] as DatabaseValue?) ?? .null).storage { text } else { "" }
            }
            kind = ExactText(text("type"))
            name = ExactText(text("name"))
            table = ExactText(text("tbl_name"))
            sql = ExactText(Self.normalised(text("sql")))
        }

        /// Without white space that means nothing: how SQLite writes an added column down is its own affair. The schemas
        /// hold no comments and no literals with spaces in them.
        private static func normalised(_ sql: String) -> String {
            let (open, close) = (Set("(,".utf8), Set("),".utf8))
            var text: [UInt8] = []
            for word in sql.utf8.split(whereSeparator: { " \t\r\n".utf8.contains($0) }) {
                let joins = text.last.map(open.contains) ?? true
                if !joins, !close.contains(word.first ?? 0) { text.append(UInt8(ascii: " ")) }
                text += word
            }
            return String(decoding: text, as: UTF8.self)
        }

        /// For messages: the name may be anybody's.
        var label: String {
            let shown = name.text.unicodeScalars.prefix(64).map { scalar in
                (0x21...0x7E).contains(scalar.value) ? String(scalar) : "?"
            }
            return "\(kind.isEmpty ? "object" : kind.text) '\(shown.joined())'"
        }

        private var order: [UInt8] { [kind, name, table, sql].flatMap { $0.utf8 + [0] } }

        static func < (left: Object, right: Object) -> Bool {
            left.order.lexicographicallyPrecedes(right.order)
        }
    }

    /// - Throws: ``StorageError`` unless the file declares what this version's steps make, and nothing else. Statistics of
    ///   `ANALYZE` are left alone: they change no answer.
    func verify(_ db: Database, version: Int) throws {
        guard version > 0 else { return }
        let model = try DatabaseQueue()
        let expected = try model.write { db in
            for step in steps[..<version] { try db.execute(sql: step) }
            return try Self.objects(db)
        }
        try model.close()
        let found = try Self.objects(db)
        guard found != expected else { return }
        let difference: String
        if let strange = found.first(where: { object in !expected.contains { $0.isNamedLike(object) } }) {
            difference = "kmsd made no \(strange.label)"
        } else if let missing = expected.first(where: { object in !found.contains { $0.isNamedLike(object) } }) {
            difference = "the \(missing.label) is missing"
        } else {
            let other = found.first { !expected.contains($0) } ?? found.first
            difference = "the \(other?.label ?? "schema") is not as kmsd made it"
        }
        throw StorageError(
            "Its schema was changed: \(difference). Restore a backup, or undo the change of the schema.", kind: .unfit)
    }

    private static func objects(_ db: Database) throws -> [Object] {
        try Row.fetchAll(db, sql: "SELECT type, name, tbl_name, sql FROM main.sqlite_master")
            .map(Object.init).filter { $0.kind != "table" || !$0.name.text.startsExactly(with: "sqlite_stat") }.sorted()
    }
}

extension SQLiteSchema.Object {
    fileprivate func isNamedLike(_ other: Self) -> Bool { kind == other.kind && name == other.name }
}
