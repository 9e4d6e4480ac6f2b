import Encodings
import Foundation
import GRDB

extension SQLiteFile {
    /// What is wrong with the texts of these tables: one that we read otherwise than SQLite compares it.
    ///
    /// We read a text up to its first NUL, and bytes that are no UTF-8 as U+FFFD; SQLite compares and indexes all of its bytes.
    /// So a text with something behind a NUL is read as the one that was written, and no stamp shows it, but whoever looks the
    /// row up, or removes it by that text, does not meet it. We write no such text.
    ///
    /// - Parameter tables: Our own names.
    /// - Returns: The first one, as the rest of a sentence about the file; nil if there is none. Reads every row.
    static func textFault(_ db: Database, tables: [String]) throws -> String? {
        for table in tables {
            let texts = try db.columns(in: table).filter { $0.type.isExactly("TEXT") }.map(\.name)
            guard !texts.isEmpty else { continue }
            let casts = texts.map { "CAST(\($0.quotedDatabaseIdentifier) AS BLOB)" }.joined(separator: ", ")
            let rows = try Row.fetchCursor(db, sql: "SELECT \(casts) FROM main.\(table)")
            while let row = try rows.next() {
                for (index, column) in texts.enumerated() {
                    if try row.withUnsafeData(atIndex: index, { $0.map(isReadWhole) ?? true }) { continue }
                    return
                        "a row of its table \(table) has a \(column) with a NUL, or with bytes that are no UTF-8, inside"
                }
            }
        }
        return nil
    }

    private static func isReadWhole(_ text: Data) -> Bool {
        text.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return memchr(start, 0, bytes.count) == nil && String(validating: bytes, as: UTF8.self) != nil
        }
    }
}
