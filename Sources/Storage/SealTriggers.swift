import EnclaveLock
import Encodings
import Foundation
import GRDB

/// What keeps the sum and the stamps of a connection that writes, inside the very transactions of the changes: triggers and
/// a table that live in this connection's memory only, so that no other program runs them.
struct SealTriggers {
    let sealer: RowSealer
    let tables: [SealedTable]

    /// Outside a transaction.
    static func prepare(_ db: Database) throws {
        // REPLACE removes rows, which must be seen.
        try db.execute(sql: "PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY")
    }

    func install(_ db: Database, total: RowSum, epoch: Int64) throws {
        addFunctions(db)
        try db.execute(
            sql: """
                DROP TABLE IF EXISTS temp.kmsd_sum;
                CREATE TEMP TABLE kmsd_sum (
                    id INTEGER PRIMARY KEY, total BLOB NOT NULL, sealed BLOB NOT NULL, sealed_epoch INTEGER NOT NULL);
                """)
        try db.execute(
            sql: "INSERT INTO temp.kmsd_sum (id, total, sealed, sealed_epoch) VALUES (1, ?, ?, ?)",
            arguments: [Data(total.bytes), Data(total.bytes), epoch])
        for table in tables { try db.execute(sql: triggers(of: table)) }
    }

    /// Gives every row a change number and a stamp of its own.
    func stampAll(_ db: Database) throws {
        addFunctions(db)
        for table in tables where table.isStamped {
            try db.execute(sql: "UPDATE main.\(table.name) SET serial = kmsd_serial()")
            try db.execute(sql: "UPDATE main.\(table.name) SET stamp = \(call("kmsd_stamp", table, table.stamped))")
        }
    }

    /// The sum over what is there; reads every row.
    func total(_ db: Database) throws -> RowSum {
        var total = RowSum()
        for table in tables {
            let rows = try Row.fetchCursor(
                db, sql: "SELECT \(table.element.joined(separator: ", ")) FROM main.\(table.name)")
            let prefix = sealer.prefix(.databaseElement, table.name)
            while let row = try rows.next() {
                total += RowSum(try sealer.element(prefix, row.databaseValues)) ?? RowSum()
            }
        }
        return total
    }

    private func triggers(of table: SealedTable) -> String {
        let name = table.name
        func row(_ prefix: String) -> String { table.key.map { "\($0) = \(prefix).\($0)" }.joined(separator: " AND ") }
        let add: String
        if table.isStamped {
            add = """
                UPDATE \(name) SET serial = kmsd_serial() WHERE \(row("new"));
                UPDATE \(name) SET stamp = \(call("kmsd_stamp", table, table.stamped)) WHERE \(row("new"));
                UPDATE kmsd_sum SET total = kmsd_plus(total,
                    (SELECT \(call("kmsd_element", table, table.element)) FROM \(name) WHERE \(row("new"))));
                """
        } else {
            add =
                "UPDATE kmsd_sum SET total = kmsd_plus(total, \(call("kmsd_element", table, table.element, of: "new")));"
        }
        let subtract =
            "UPDATE kmsd_sum SET total = kmsd_minus(total, \(call("kmsd_element", table, table.element, of: "old")));"
        var sql = """
            CREATE TEMP TRIGGER kmsd_\(name)_made AFTER INSERT ON main.\(name) BEGIN \(add) END;
            CREATE TEMP TRIGGER kmsd_\(name)_removed AFTER DELETE ON main.\(name) BEGIN \(subtract) END;
            """
        if table.isStamped {
            let columns = (table.key + table.content).joined(separator: ", ")
            sql += "CREATE TEMP TRIGGER kmsd_\(name)_changed AFTER UPDATE OF \(columns) ON main.\(name) "
            sql += "BEGIN \(subtract) \(add) END;"
        }
        return sql
    }

    private func call(_ function: String, _ table: SealedTable, _ columns: [String], of row: String? = nil) -> String {
        let names = columns.map { (row.map { $0 + "." } ?? "") + $0 }
        return "\(function)('\(table.name)', \(names.joined(separator: ", ")))"
    }

    private func addFunctions(_ db: Database) {
        let sealer = sealer
        @Sendable func table(_ values: [DatabaseValue]) -> String {
            values.first.flatMap(String.fromDatabaseValue) ?? ""
        }
        db.add(
            function: DatabaseFunction("kmsd_serial", argumentCount: 0) { _ in Int64.random(in: 1 ... .max) })
        db.add(
            function: DatabaseFunction("kmsd_stamp") { values in
                Data(try sealer.stamp(table(values), Array(values.dropFirst())))
            })
        db.add(
            function: DatabaseFunction("kmsd_element") { values in
                Data(try sealer.element(table(values), Array(values.dropFirst())))
            })
        db.add(function: Self.adding("kmsd_plus") { $0 })
        db.add(function: Self.adding("kmsd_minus") { -$0 })
    }

    private static func adding(
        _ name: String, _ sign: @escaping @Sendable (RowSum) -> RowSum
    ) -> DatabaseFunction {
        DatabaseFunction(name, argumentCount: 2, pure: true) { values in
            guard case .blob(let total) = values[0].storage, case .blob(let element) = values[1].storage,
                var sum = RowSum(total), let element = RowSum(element)
            else { throw StorageError("A row that was changed is not there to be summed up.") }
            sum += sign(element)
            return Data(sum.bytes)
        }
    }
}
