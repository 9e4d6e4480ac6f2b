public import Decryption
import Foundation
import GRDB
import Storage

extension DecryptionStore {
    /// The trusted state of a chain as it was written last; nil if none was.
    public func head(of chainID: String) async throws(DecryptionError) -> [UInt8]? {
        try await read { [seal] db in
            try Row.fetchOne(db, sql: "SELECT * FROM heads WHERE chain_id = ?", arguments: [chainID]).map { row in
                guard seal.accepts(row, of: "heads"), let state = Data.fromDatabaseValue(row["state"]) else {
                    throw Self.damaged
                }
                return Array(state)
            }
        }
    }

    /// Writes a trusted state. An older copy of the file would bring an older one back, so the audit chain hears of it.
    public func keepHead(_ state: [UInt8], of chainID: String) async throws(DecryptionError) {
        try await write(lowers: true) { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO heads (chain_id, state) VALUES (?, ?)",
                arguments: [chainID, Data(state)])
        }
    }
}

extension DecryptionStore {
    /// What is kept of each chain in a file that is only read, also beside the daemon: as the file says, unproven. Blocks for a
    /// few file operations.
    public static func heads(inFile path: String) throws -> [(chainID: String, state: [UInt8])] {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "decryption-heads", schema: schema)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM heads ORDER BY chain_id").map { row in
                guard let chainID = String.fromDatabaseValue(row["chain_id"]),
                    let state = Data.fromDatabaseValue(row["state"])
                else { throw damaged }
                return (chainID, Array(state))
            }
        }
    }
}
