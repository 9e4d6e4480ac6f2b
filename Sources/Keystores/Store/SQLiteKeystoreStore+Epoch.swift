import GRDB
import Storage
import Synchronization

/// The number by which an older copy of the whole file is known. Each change that such a copy would undo raises it in its own
/// transaction; the audit chain remembers the highest.
extension SQLiteKeystoreStore {
    /// How many changes of what was stored this file has seen; making keystores and keys is none. An older copy of the file
    /// has a lower one. Of what is durable: read from memory.
    public var epoch: UInt64 { committedEpoch.load(ordering: .acquiring) }

    /// Makes a change after which an older copy of the file would bring something back, and raises the epoch with it.
    ///
    /// - Parameter body: Tells whether it changed anything.
    func lowering(
        erases: Bool = false, _ body: @escaping @Sendable (Database) throws -> Bool
    ) async throws -> Bool {
        let raised = try await writer.perform(erases: erases) { [self] db -> UInt64? in
            guard try body(db) else { return nil }
            try change(db, "UPDATE epoch SET value = value + 1 WHERE id = 1", [])
            let epoch = try Self.epoch(in: db)
            // It was not there, or another file took this one's place under the running daemon.
            guard db.changesCount == 1, epoch > self.epoch else { throw Self.epochLost }
            return epoch
        }
        guard let raised else { return false }
        settle(raised)
        return true
    }

    /// Makes this file go on behind `epoch`, which another copy of it had reached.
    ///
    /// - Returns: The epoch from now on.
    public func raiseEpoch(above epoch: UInt64) async throws -> UInt64 {
        let raised = try await writer.perform { [self] db -> UInt64 in
            let raised = max(epoch, try Self.epoch(in: db)) + 1
            try change(db, "UPDATE epoch SET value = ? WHERE id = 1", [Int64(bitPattern: raised)])
            guard db.changesCount == 1 else { throw Self.epochLost }
            return raised
        }
        settle(raised)
        return raised
    }

    /// The epoch of a file that is only read, also beside the daemon; 0 for one that was made before epochs. Blocks for a few
    /// file operations.
    public static func epoch(ofFile path: String) throws -> UInt64 {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "epoch", schema: Schema.current)
        defer { try? queue.close() }
        return try queue.read { db in try db.tableExists("epoch") ? epoch(in: db) : 0 }
    }

    private func settle(_ epoch: UInt64) { committedEpoch.max(epoch, ordering: .acquiringAndReleasing) }

    /// Zero for a number that no epoch can be, or none: whoever wrote that gains nothing, for zero is the oldest copy of all.
    static func epoch(in db: Database) throws -> UInt64 {
        UInt64(max(0, try Int64.fetchOne(db, sql: "SELECT value FROM epoch WHERE id = 1") ?? 0))
    }

    private static var epochLost: KMSError {
        KMSError(
            .storageUnavailable, "The key store is not available now; nothing was changed.",
            detail: "the database has not the epoch that was written; stop the daemon and restore the newest copy")
    }
}
