import Encodings
import Foundation
public import GRDB
import LibCrypto
import SecretMemory
import Synchronization

/// What proves that a database is the one this daemon wrote last, and none of its rows an older one.
///
/// Every row that decides has a change number, drawn again with each change, and a stamp that binds the two. A keyed sum over
/// the change numbers of all rows and the file's epoch are authenticated together, in the transaction of every change. The
/// key is the file's own, sealed by the daemon's secret lock. So a row put back, added or removed, or an epoch that was
/// edited, shows when the file is opened; a row that was edited shows when it is used, and takes away only itself. An older
/// copy of the whole file has a lower epoch than the audit chain records.
///
/// - Concurrency: any task. What blocks runs on the database's own threads.
public final class StateSeal: Sendable {
    /// Why a database is not to be used: what an operator must decide.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        /// Whether it is an older copy, or missing; else it was edited.
        public var isOlder: Bool
        public var message: String
        public var description: String { message }
    }

    enum State {
        /// No seal yet: whoever writes does not seal.
        case unsealed
        /// Not compared yet: nothing that decides is written.
        case locked
        case open(RowSealer)
        case refused(String)
    }

    /// Most changes that a chain may not have heard of; more is no crash.
    public static let longestJump: UInt64 = 1 << 20

    /// The file's name in the audit chain and in messages.
    public let name: String
    public let path: String
    /// Whether it is still there.
    public let place: FilePlace
    let pool: DatabasePool
    let tables: [SealedTable]
    /// Whether there was anything in the file when it was opened.
    let hadContent: Bool
    let state: Mutex<State>
    private let committed: Atomic<UInt64>
    private let wasTried = Atomic<Bool>(false)

    /// Reads what the file says of itself. Blocks for one read.
    ///
    /// - Parameter pool: Whose schema has the columns of ``columns`` in its table `epoch`.
    public init(name: String, path: String, pool: DatabasePool, tables: [SealedTable]) throws {
        self.name = name
        self.path = path
        self.pool = pool
        place = FilePlace(pool)
        self.tables = tables
        let found = try pool.read { db in try Found(db) }
        hadContent =
            try found.epoch > 0
            || pool.read { db in
                try tables.contains { try Row.fetchOne(db, sql: "SELECT 1 FROM main.\($0.name) LIMIT 1") != nil }
            }
        state = Mutex(found.seal == nil ? .unsealed : .locked)
        committed = Atomic(found.epoch)
    }

    /// Steps of a schema: the table of the epoch, and what it needs for a seal.
    public static let epochTable = """
        CREATE TABLE epoch (id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1), value INTEGER NOT NULL) STRICT;
        INSERT INTO epoch (id, value) VALUES (1, 0);
        """
    public static let columns = ["seal", "lock_kind", "lock_identity", "sealed_key"]
        .map { "ALTER TABLE epoch ADD COLUMN \($0) TEXT;" }.joined(separator: "\n")

    /// What a stamped table needs.
    public static func columns(of table: String) -> String {
        "ALTER TABLE \(table) ADD COLUMN serial INTEGER;\nALTER TABLE \(table) ADD COLUMN stamp BLOB;"
    }

    // MARK: State

    /// How many changes this file has seen, of what is durable: read from memory.
    public var epoch: UInt64 { committed.load(ordering: .acquiring) }

    /// Whether the chain may record that this file has a seal.
    public var isOpen: Bool { if case .open = state.withLock({ $0 }) { true } else { false } }

    /// Whether the file has a seal that was not compared yet, or does not hold: what it says of itself is anybody's word.
    public var isLocked: Bool {
        switch state.withLock({ $0 }) {
        case .locked, .refused: true
        case .unsealed, .open: false
        }
    }

    /// Whether it is worth waiting for: the file has a seal that was not compared yet, or none and nobody tried to make one.
    public var isPending: Bool {
        state.withLock { state in
            switch state {
            case .locked: true
            case .unsealed: !wasTried.load(ordering: .relaxed)
            case .open, .refused: false
            }
        }
    }

    /// Gives up waiting for a first seal, because the lock that makes it is away.
    public func giveUpWaiting() { wasTried.store(true, ordering: .relaxed) }

    /// What is to be refused, because the file is not proven; nil for one that is, or has no seal yet.
    public var refusal: StorageError? {
        switch state.withLock({ $0 }) {
        case .unsealed, .open: nil
        case .locked: StorageError("'\(name)' was not compared with its seal yet; try again")
        case .refused(let message): StorageError(message)
        }
    }

    /// Before a read whose answer would be believed: that something is not there, above all.
    ///
    /// - Throws: ``StorageError`` for a file that was found not to be the one that was written last.
    public func permitReading() throws {
        if case .refused(let message) = state.withLock({ $0 }) { throw StorageError(message) }
    }

    /// Reports that a commit reached the disk.
    public func settle(_ epoch: UInt64) { committed.max(epoch, ordering: .acquiringAndReleasing) }

    /// Refuses the file although its seal holds.
    public func refuse(_ message: String) { state.withLock { $0 = .refused(message) } }

    // MARK: Writing

    /// Before a transaction that changes sealed rows.
    ///
    /// - Throws: ``StorageError`` for a file that is not proven.
    public func permit() throws { if let refusal { throw refusal } }

    /// Raises the epoch in the transaction of a change that an older copy would undo.
    ///
    /// - Returns: The epoch to ``settle(_:)`` after the commit.
    public func raise(_ db: Database) throws -> UInt64 {
        try db.cachedStatement(sql: "UPDATE epoch SET value = value + 1 WHERE id = 1").execute()
        let raised = try Found(db).epoch
        // It was not there, or another file took this one's place under the running daemon.
        guard db.changesCount == 1, raised > epoch else {
            throw StorageError(
                "'\(name)' has not the epoch that was written; stop the daemon and restore the newest copy")
        }
        return raised
    }

    /// The last step of a transaction: seals what it changed.
    public func finish(_ db: Database) throws {
        guard case .open = state.withLock({ $0 }) else { return try permit() }
        try db.cachedStatement(sql: SealTriggers.sealing).execute()
        guard db.changesCount != 1 else { return }
        guard try Row.fetchOne(try db.cachedStatement(sql: SealTriggers.isSealed)) != nil else {
            throw StorageError("'\(name)' has lost its epoch; stop the daemon and restore the newest copy")
        }
    }

    // MARK: Reading

    /// Whether a row is as it was written. True for a file without a seal that is open: nothing is allowed on it.
    public func accepts(_ row: Row, of table: String) -> Bool {
        guard case .open(let sealer) = state.withLock({ $0 }),
            let table = tables.first(where: { $0.name == table && $0.isStamped })
        else { return true }
        guard case .blob(let stamp) = ((row["stamp"] as DatabaseValue?) ?? .null).storage,
            let right = try? sealer.stamp(
                table.name, table.stamped.map { (row[$0] as DatabaseValue?) ?? .null })
        else { return false }
        return ConstantTime.equal(right, Array(stamp))
    }

    /// How many rows of which table are not as they were written; each of them is passed over or refused when it is used.
    /// Reads every row.
    // exact: names of tables are our own words.
    public func damagedRows() async throws -> [String: Int] {
        try await pool.read { [self, tables] db in
            var damaged: [String: Int] = [:]  // exact: names of our own tables, in ASCII.
            for table in tables where table.isStamped {
                let columns = (table.stamped + ["stamp"]).joined(separator: ", ")
                let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM main.\(table.name)")
                while let row = try rows.next() {
                    if !accepts(row, of: table.name) { damaged[table.name, default: 0] += 1 }
                }
            }
            return damaged
        }
    }

    /// Closes the file of a seal that was opened for nothing else.
    public func close() throws { try SQLiteFile.close(pool) }

    func become(_ state: State) { self.state.withLock { $0 = state } }
    func reset(_ epoch: UInt64) { committed.store(epoch, ordering: .releasing) }
}

extension StateSeal {
    /// What the file says of itself, unproven.
    struct Found {
        var value: Int64?
        var seal: String?
        var lockKind = ""
        var lockIdentity = ""
        var sealedKey = ""

        init(_ db: Database) throws {
            guard let row = try Row.fetchOne(try db.cachedStatement(sql: "SELECT * FROM main.epoch WHERE id = 1"))
            else {
                return
            }
            func text(_ column: String) -> String? {
                ((row[column] as DatabaseValue?) ?? .null).isNull ? nil : String.fromDatabaseValue(row[column])
            }
            value = Int64.fromDatabaseValue(row["value"])
            seal = text("seal")
            lockKind = text("lock_kind") ?? ""
            lockIdentity = text("lock_identity") ?? ""
            sealedKey = text("sealed_key") ?? ""
        }

        /// Zero for a number that no epoch can be, or none: whoever wrote that gains nothing, for zero is the oldest copy
        /// of all.
        var epoch: UInt64 { UInt64(max(0, value ?? 0)) }
    }

    /// Counts rows of a file that is only read, also beside the daemon: as the file says, unproven. Blocks for one query.
    ///
    /// - Parameter sql: Our own, without operands.
    public static func count(_ sql: String, inFile path: String, schema: SQLiteSchema) throws -> Int {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "count", schema: schema)
        defer { try? queue.close() }
        return try queue.read { db in try Int.fetchOne(db, sql: sql) ?? 0 }
    }
}
