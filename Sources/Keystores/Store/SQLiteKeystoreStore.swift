import Capabilities
import Encodings
import Foundation
import GRDB
import PrometheusMetrics
public import Storage
import Synchronization

/// Keystores in one SQLite file, for one daemon.
///
/// Opened as every file of the daemon, see `SQLiteFile`: flushed to the disk at every commit, files with mode 0600.
///
/// - Concurrency: reads run beside each other and beside the writer on threads of their own; writes are grouped.
public final class SQLiteKeystoreStore: KeystoreStore {
    /// Rows with these numbers are counted once per process and owner; see ``countRows(_:_:_:)``.
    private static let countedOwners = 10_000

    /// What the audit chain calls the file, wherever it is.
    public static let name = "kmsd.sqlite"

    /// Off until somebody switches it on.
    public let meters = StoreMeters()
    let pool: DatabasePool
    let writer: GroupCommit
    /// The file.
    public let path: String
    let faults: WriteFaults
    private let counts: Counts
    let ahead: AheadSignatures
    /// Proves that the file is the one that was written last.
    public let seal: StateSeal

    /// How many rows an owner has. Used on the writer queue only, where it is exact; forgotten when a write fails.
    private final class Counts: Sendable {
        let values = Mutex<[ExactText: Int]>([:])
    }

    /// Opens or makes the database. Blocks for a few file operations; reads no key.
    ///
    /// - Parameters:
    ///   - path: The file; its directory must exist.
    ///   - queueLimit: Most writes that may wait.
    /// - Throws: ``KMSError`` with `.storageUnavailable`; the detail says what to do.
    public convenience init(path: String, queueLimit: Int = 4_096) throws {
        try self.init(path: path, queueLimit: queueLimit, faults: .none)
    }

    /// - Parameter elapsed: Time that never jumps, since some fixed moment.
    init(
        path: String, queueLimit: Int = 4_096, faults: WriteFaults,
        elapsed: @escaping @Sendable () -> Duration = ReplayWindow.elapsed
    ) throws {
        do {
            pool = try SQLiteFile.open(path: path, label: "kmsd.store", schema: Schema.current)
            seal = try StateSeal(name: Self.name, path: path, pool: pool, tables: Schema.sealed)
        } catch {
            throw StoreFailure.translate(error)
        }
        self.path = path
        self.faults = faults
        ahead = AheadSignatures(limit: Self.spentSignatureLimit, elapsed: elapsed)
        let counts = Counts()
        self.counts = counts
        writer = GroupCommit(
            pool: pool, seal: seal, queueLimit: queueLimit, errors: StoreFailure.ofWrites, faults: faults
        ) {
            counts.values.withLock { $0.removeAll() }
        }
    }

    /// Closes the files after the writes under way.
    public func close() throws { try SQLiteFile.close(pool) }

    // MARK: Keys

    public func insertKey(_ record: KeyRecord, limit: Int) async throws {
        let start = meters.meter.start()
        defer { meters.put.record(since: start) }
        try await writer.perform { [self] db in
            guard try exists(db, "SELECT 1 FROM keystores WHERE id = ?", [record.keystore]) else {
                throw KMSError(.notFound, "There is no keystore '\(record.keystore)'.")
            }
            try refuseTaken(db, record)
            let count = try countRows(db, "SELECT COUNT(*) FROM keys WHERE keystore = ?", record.keystore)
            guard count < limit else {
                throw KMSError(.quotaExceeded, "The keystore has \(limit) keys, which is the limit.")
            }
            try insert(db, record)
            setCount(count + 1, "SELECT COUNT(*) FROM keys WHERE keystore = ?", record.keystore)
        }
    }

    public func key(keystore: String, id: String) async throws -> KeyRecord? {
        let start = meters.meter.start()
        defer { meters.get.record(since: start) }
        return try await read { [seal] db in
            guard
                let row = try Self.fetchOne(
                    db, "SELECT * FROM keys WHERE keystore = ? AND id = ?", [keystore, id])
            else { return nil }
            let isAccepted = seal.accepts(row.row, of: "keys")
            let versions = try db.cachedStatement(
                sql: "SELECT version, created_at, sealed FROM key_versions WHERE keystore = ? AND key = ? "
                    + "ORDER BY version")
            return row.keyRecord(
                versions: try Row.fetchAll(versions, arguments: [keystore, id]).map { StoredRow($0).keyVersion },
                isAccepted: isAccepted)
        }
    }

    public func keys(keystore: String, after: String?, limit: Int) async throws -> [KeyRecord] {
        let start = meters.meter.start()
        defer { meters.query.record(since: start) }
        return try await read { [seal] db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM keys WHERE keystore = ? AND id > ? ORDER BY id LIMIT ?",
                arguments: [keystore, after ?? "", limit])
            guard let last = rows.last else { return [] }
            var versions: [ExactText: [KeyRecord.Version]] = [:]
            let lines = try Row.fetchCursor(
                db,
                sql: "SELECT key, version, created_at FROM key_versions "
                    + "WHERE keystore = ? AND key > ? AND key <= ? ORDER BY key, version",
                arguments: [keystore, after ?? "", StoredRow(last).text("id")])
            while let line = try lines.next() {
                versions[ExactText(StoredRow(line).text("key")), default: []].append(StoredRow(line).keyVersion)
            }
            return rows.map { row in
                StoredRow(row).keyRecord(
                    versions: versions[ExactText(StoredRow(row).text("id"))] ?? [],
                    isAccepted: seal.accepts(row, of: "keys"))
            }
        }
    }

    public func updateKey(_ record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        let start = meters.meter.start()
        defer { meters.put.record(since: start) }
        return try await lowering { [self] db in try update(db, record, expected) }
    }

    public func replaceKey(id: String, with record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        let start = meters.meter.start()
        defer { meters.batch.record(since: start) }
        // The old envelopes leave the log too: they hold the same secrets under the old name.
        return try await lowering(erases: true) { [self] db in
            guard
                try exists(
                    db, "SELECT 1 FROM keys WHERE keystore = ? AND id = ? AND authenticator = ?",
                    [record.keystore, id, Data(expected)])
            else { return false }
            try refuseTaken(db, record)
            try insert(db, record)
            try change(db, "DELETE FROM key_versions WHERE keystore = ? AND key = ?", [record.keystore, id])
            try change(db, "DELETE FROM keys WHERE keystore = ? AND id = ?", [record.keystore, id])
            return true
        }
    }

    public func eraseKey(_ record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        let start = meters.meter.start()
        defer { meters.delete.record(since: start) }
        return try await lowering(erases: true) { [self] db in
            guard try update(db, record, expected) else { return false }
            try change(db, "DELETE FROM key_versions WHERE keystore = ? AND key = ?", [record.keystore, record.id])
            return true
        }
    }

    public func overdueKeys(at time: Int64, after: KeyAddress?, limit: Int) async throws -> [KeyAddress] {
        let start = meters.meter.start()
        defer { meters.query.record(since: start) }
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT keystore, id FROM keys WHERE state = 'pending-destruction' AND destroy_at <= ? "
                    + "AND (keystore, id) > (?, ?) ORDER BY keystore, id LIMIT ?",
                arguments: [time, after?.keystore ?? "", after?.key ?? "", limit]
            ).map { KeyAddress(keystore: StoredRow($0).text("keystore"), key: StoredRow($0).text("id")) }
        }
    }

    public func probe() async throws {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        try await writer.perform(decides: false) { db in
            try db.execute(sql: "INSERT OR REPLACE INTO probe (id, at) VALUES (1, ?)", arguments: [now])
        }
    }

    // MARK: Statements

    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        do {
            try seal.permitReading()
            return try await pool.read(body)
        } catch let error as StorageError {
            throw KMSError(.storageUnavailable, error.message)
        } catch let error as CancellationError { throw error } catch {
            throw StoreFailure.translate(error)
        }
    }

    static func fetchOne(
        _ db: Database, _ sql: String, _ arguments: StatementArguments
    ) throws -> StoredRow? {
        try Row.fetchOne(try db.cachedStatement(sql: sql), arguments: arguments).map(StoredRow.init)
    }

    func exists(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws -> Bool {
        try Self.fetchOne(db, sql, arguments) != nil
    }

    func change(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws {
        try faults.reached(.statement)
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func refuseTaken(_ db: Database, _ record: KeyRecord) throws {
        guard
            try !exists(db, "SELECT 1 FROM keys WHERE keystore = ? AND id = ?", [record.keystore, record.id])
        else {
            throw KMSError(.alreadyExists, "The key id '\(record.id)' is taken in this keystore.")
        }
    }

    private func insert(_ db: Database, _ record: KeyRecord) throws {
        let authenticator = Data(record.authenticator)
        let marks = try seal.marks(
            of: "keys", key: [record.keystore.databaseValue, record.id.databaseValue],
            content: [authenticator.databaseValue])
        try change(
            db,
            "INSERT INTO keys (keystore, id, type, state, protection, provenance, created_at, destroy_at, public_key, "
                + "authenticator, serial, stamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                record.keystore, record.id, record.type, record.state, record.protection, record.provenance,
                record.createdAt, record.destroyAt, record.publicKey.map { Data($0) }, authenticator, marks.serial,
                marks.stamp,
            ])
        for version in record.versions {
            try change(
                db, "INSERT INTO key_versions (keystore, key, version, created_at, sealed) VALUES (?, ?, ?, ?, ?)",
                [
                    record.keystore, record.id, Int64(bitPattern: version.version), version.createdAt,
                    Data(version.sealed),
                ])
        }
    }

    private func update(_ db: Database, _ record: KeyRecord, _ expected: [UInt8]) throws -> Bool {
        try change(
            db,
            "UPDATE keys SET state = ?, destroy_at = ?, public_key = ?, authenticator = ? "
                + "WHERE keystore = ? AND id = ? AND authenticator = ?",
            [
                record.state, record.destroyAt, record.publicKey.map { Data($0) }, Data(record.authenticator),
                record.keystore, record.id, Data(expected),
            ])
        return db.changesCount == 1
    }

    // MARK: Quotas

    /// Counts an owner's rows, by the database the first time only.
    func countRows(_ db: Database, _ sql: String, _ owner: String? = nil) throws -> Int {
        if let count = counts.values.withLock({ $0[ExactText(sql + (owner ?? ""))] }) { return count }
        return try Int.fetchOne(db, sql: sql, arguments: owner.map { [$0] } ?? []) ?? 0
    }

    /// The last step of a write, so that a write that fails before it changes nothing here.
    func setCount(_ count: Int, _ sql: String, _ owner: String? = nil) {
        counts.values.withLock { values in
            if values.count >= Self.countedOwners { values.removeAll() }
            values[ExactText(sql + (owner ?? ""))] = count
        }
    }
}
