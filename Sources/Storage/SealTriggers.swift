import EnclaveLock
import Encodings
import Foundation
import GRDB

/// What keeps the sum and the stamps of a connection that writes, inside the very transactions of the changes: triggers and
/// a table that live in this connection's memory only, so that no other program runs them.
struct SealTriggers {
    let sealer: RowSealer
    let tables: [SealedTable]

    /// Seals what has changed since it was sealed; changes no row if nothing has.
    static let sealing = """
        UPDATE main.epoch SET seal = kmsd_seal(value, (SELECT total FROM temp.kmsd_sum)) WHERE id = 1
            AND EXISTS (SELECT 1 FROM temp.kmsd_sum WHERE total IS NOT sealed OR sealed_epoch IS NOT epoch.value)
        """
    /// A row if nothing has changed since it was sealed.
    static let isSealed = """
        SELECT 1 FROM temp.kmsd_sum, main.epoch WHERE epoch.id = 1 AND total IS sealed AND sealed_epoch IS epoch.value
        """

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
            arguments: [total.data, total.data, epoch])
        for table in tables { try db.execute(sql: triggers(of: table)) }
        try db.execute(
            sql: """
                CREATE TEMP TRIGGER kmsd_epoch_sealed AFTER UPDATE OF seal ON main.epoch
                    BEGIN UPDATE kmsd_sum SET sealed = total, sealed_epoch = new.value; END
                """)
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
        let isRow = table.key.map { "\($0) = new.\($0)" }.joined(separator: " AND ")
        let subtract = sum("kmsd_minus", table, table.element.map { "old.\($0)" })
        var sql =
            "CREATE TEMP TRIGGER kmsd_\(name)_removed AFTER DELETE ON main.\(name) BEGIN \(subtract) END;"
        guard table.isStamped else {
            let add = sum("kmsd_plus", table, table.element.map { "new.\($0)" })
            return sql + "CREATE TEMP TRIGGER kmsd_\(name)_made AFTER INSERT ON main.\(name) BEGIN \(add) END;"
        }
        let stamp = """
            UPDATE \(name) SET serial = kmsd_serial() WHERE \(isRow);
            UPDATE \(name) SET stamp = \(call("kmsd_stamp", table, table.stamped)) WHERE \(isRow);
            """
        let serial = "(SELECT serial FROM \(name) WHERE \(isRow))"
        let add = stamp + sum("kmsd_plus", table, table.key.map { "new.\($0)" } + [serial])
        // A row that came with its marks; see ``StateSeal/marks(of:key:content:)``.
        let addMarked = sum("kmsd_plus", table, table.element.map { "new.\($0)" })
        let columns = (table.key + table.content).joined(separator: ", ")
        sql += """
            CREATE TEMP TRIGGER kmsd_\(name)_made AFTER INSERT ON main.\(name) WHEN new.stamp IS NULL BEGIN \(add) END;
            CREATE TEMP TRIGGER kmsd_\(name)_marked AFTER INSERT ON main.\(name) WHEN new.stamp IS NOT NULL
                BEGIN \(addMarked) END;
            CREATE TEMP TRIGGER kmsd_\(name)_changed AFTER UPDATE OF \(columns) ON main.\(name)
                BEGIN \(subtract) \(add) END;
            """
        return sql
    }

    private func sum(_ function: String, _ table: SealedTable, _ values: [String]) -> String {
        "UPDATE kmsd_sum SET total = \(function)(total, '\(table.name)', \(values.joined(separator: ", ")));"
    }

    private func call(_ function: String, _ table: SealedTable, _ columns: [String]) -> String {
        "\(function)('\(table.name)', \(columns.joined(separator: ", ")))"
    }

    private func addFunctions(_ db: Database) {
        let sealer = sealer
        db.add(function: DatabaseFunction("kmsd_serial", argumentCount: 0) { _ in RowSealer.serial() })
        db.add(
            function: DatabaseFunction("kmsd_stamp") { values in
                Data(try sealer.stamp(Self.text(values.first), values.dropFirst()))
            })
        db.add(
            function: DatabaseFunction("kmsd_seal", argumentCount: 2) { values in
                guard case .int64(let epoch) = values[0].storage, case .blob(let total) = values[1].storage else {
                    throw StorageError("'\(sealer.file)' has lost its epoch or its sum.")
                }
                return Hexadecimal.encode(try sealer.seal(epoch: epoch, total: [UInt8](total)))
            })
        db.add(function: adding("kmsd_plus") { $0 })
        db.add(function: adding("kmsd_minus") { -$0 })
    }

    private static func text(_ value: DatabaseValue?) -> String { value.flatMap(String.fromDatabaseValue) ?? "" }

    /// A function of a sum, a table, and what a row of it adds.
    private func adding(_ name: String, _ sign: @escaping @Sendable (RowSum) -> RowSum) -> DatabaseFunction {
        let sealer = sealer
        return DatabaseFunction(name, pure: true) { values in
            let row = values.dropFirst(2)
            guard case .blob(let total)? = values.first?.storage, var sum = RowSum(total),
                !row.isEmpty, !row.contains(where: \.isNull),
                let element = RowSum(try sealer.element(Self.text(values[1]), row))
            else { throw StorageError("A row that was changed is not there to be summed up.") }
            sum += sign(element)
            return sum.data
        }
    }
}
