import Foundation
public import GRDB
import Synchronization

extension StateSeal {
    /// What a row that is about to be made carries, so that nothing need be added to it afterwards.
    ///
    /// - Parameters:
    ///   - key: The values of the table's key.
    ///   - content: Those of what its stamp binds.
    /// - Returns: A change number and a stamp for the row's columns `serial` and `stamp`; nulls for a file without a seal, and
    ///   for a table that has neither column.
    public func marks(
        of table: String, key: [DatabaseValue], content: [DatabaseValue]
    ) throws -> (serial: DatabaseValue, stamp: DatabaseValue) {
        guard case .open(let sealer) = state.withLock({ $0 }),
            let table = tables.first(where: { $0.name == table && $0.isStamped })
        else { return (.null, .null) }
        precondition(
            key.count == table.key.count && content.count == table.content.count, "a stamp is of all its columns")
        let serial = RowSealer.serial().databaseValue
        return (serial, Data(try sealer.stamp(table.name, key + [serial] + content)).databaseValue)
    }
}
