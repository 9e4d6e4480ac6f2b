import GRDB

extension StateSeal {
    /// What a file that is only read says of its own place; whoever wrote the file may have written this too.
    public struct Claim: Sendable {
        /// Nil for a file that was made before there were epochs.
        private let found: Found?

        fileprivate init(_ found: Found?) { self.found = found }

        /// 0 for a file that was made before epochs, and for a number that no epoch can be.
        public var epoch: UInt64 { found?.epoch ?? 0 }

        /// Why a start will refuse the file, as far as that can be told without the key of its seal.
        ///
        /// - Parameters:
        ///   - told: The epoch that the audit chain knows of this file with its seal; nil if it knows of none.
        ///   - least: The epoch that the chain knows of it in any way.
        public func problem(of name: String, at path: String, told: UInt64?, least: UInt64) -> Problem? {
            guard let found else {
                // It is brought to this version before it is judged.
                return least > 0 || told != nil ? StateSeal.older(name: name, path: path, found: 0, told: least) : nil
            }
            return StateSeal.impossible(found, name, path, told: told, least: least)
        }
    }

    /// What a file says of its own place, also beside the daemon. Blocks for a few file operations.
    public static func claim(ofFile path: String, schema: SQLiteSchema) throws -> Claim {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "epoch", schema: schema)
        defer { try? queue.close() }
        return Claim(try queue.read { db in try db.tableExists("epoch") ? Found(db) : nil })
    }
}
