public import EnclaveLock
import Encodings
import GRDB
import LibCrypto
import SecretMemory

extension StateSeal {
    /// What ``open(locks:told:)`` did.
    public enum Opening: Sendable {
        /// The seal holds.
        case proven
        /// There was none, and nobody told of one: from now on there is. Whether there were rows or changes before.
        case sealed(hadContent: Bool)
    }

    /// Compares the file with its seal, or seals one that has none yet.
    ///
    /// - Parameters:
    ///   - locks: The first seals; any opens.
    ///   - told: The epoch that the audit chain knows of this file with its seal; nil if it knows of none.
    ///   - least: The epoch that the chain knows of it in any way.
    /// - Throws: ``Problem`` for a file that an operator must look at; other errors may go away.
    public func open(locks: [any SecretLock], told: UInt64?, least: UInt64) async throws -> Opening {
        do {
            let found = try await pool.read { db in try Found(db) }
            if let problem = Self.impossible(found, name, path, told: told, least: least) { throw problem }
            if found.seal == nil {
                try await seal(afresh: locks, epoch: nil)
                return .sealed(hadContent: hadContent)
            }
            // Beside the sum, on another thread.
            async let unsound = unsoundness()
            let key = try await key(found, locks)
            let total = try await compare(found, key)
            if let problem = try await unsound { throw problem }
            try await begin(found, key, total, locks)
            return .proven
        } catch let problem as Problem {
            refuse(problem.message)
            throw problem
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
        {
            let problem = edited("it cannot be read whole: the file is damaged; restore a backup (\(error))")
            refuse(problem.message)
            throw problem
        }
    }

    /// Takes the file as it is for the one to go on with, under a new key, and gives it an epoch. For an operator who knows
    /// why.
    public func adopt(locks: [any SecretLock], epoch: UInt64) async throws {
        try await seal(afresh: locks, epoch: Int64(clamping: epoch))
    }

    // MARK: Words

    private func edited(_ what: String) -> Problem { Self.edited(name, path, what) }

    static func edited(_ name: String, _ path: String, _ what: String) -> Problem {
        Problem(
            isOlder: false,
            message:
                "The database '\(path)' is not what kmsd wrote: \(what). Nothing is allowed until the file is put back "
                + "as it was, or `\(adoption(of: name))` accepts this one.")
    }

    /// The words for an epoch that no daemon came to.
    public static func jump(name: String, path: String, found: UInt64, told: UInt64) -> Problem {
        edited(name, path, "its epoch is \(found), and the audit chain tells \(told): no daemon made so many changes")
    }

    /// What an operator says to accept this file.
    public var adoption: String { Self.adoption(of: name) }

    private static func adoption(of name: String) -> String {
        "kmsd audit adopt-database" + (name == "kmsd.sqlite" ? "" : " --database \(name)")
    }

    /// What needs no key.
    static func impossible(
        _ found: Found, _ name: String, _ path: String, told: UInt64?, least: UInt64
    ) -> Problem? {
        if found.epoch < least || found.seal == nil && told != nil {
            return older(name: name, path: path, found: found.epoch, told: least)
        }
        guard let value = found.value else { return edited(name, path, "it has no epoch") }
        guard value >= 0, value < Int64.max else {
            return edited(name, path, "its epoch is \(value), which no epoch can be")
        }
        guard found.epoch - least <= longestJump else {
            return jump(name: name, path: path, found: found.epoch, told: least)
        }
        return nil
    }

    /// The words for a file that is older than the chain records.
    public static func older(name: String, path: String, found: UInt64, told: UInt64) -> Problem {
        let lost =
            switch name {
            case "kmsd.sqlite": "Keys that were rotated, disabled or destroyed may be back in it."
            case "decryption.sqlite": "TFHE keys that were disabled or destroyed may be back in it."
            default: "Restrictions, revocations and removals of split keys may be undone in it."
            }
        return Problem(
            isOlder: true,
            message:
                "The database '\(path)' is an older copy, or is missing and was made anew: its epoch is \(found), and "
                + "the audit chain tells \(told)\(found >= told ? " and a seal, which it has not" : ""). \(lost) Nothing is "
                + "allowed until the newer file is put back, or `\(adoption(of: name))` accepts this one.")
    }

    // MARK: The key

    var identity: RecordIdentity {
        RecordIdentity(tenant: "", keystore: "", key: name, type: "database-seal-key", version: 1)
    }

    private func key(_ found: Found, _ locks: [any SecretLock]) async throws -> SharedSecret {
        guard
            let lock = locks.first(where: { $0.kind.rawValue == found.lockKind && $0.identity == found.lockIdentity }),
            let sealed = Hexadecimal.decode(found.sealedKey)
        else {
            throw edited(
                "the key of its seal is locked by another secret lock than any that is configured (if the lock was "
                    + "changed on purpose, configure the earlier one beside it)")
        }
        do throws(EnclaveLockError) {
            return try await lock.open(sealed, identity: identity)
        } catch {
            guard error.code == .openingFailed else { throw error }
            throw edited(
                "the key of its seal does not open with the secret lock (is it the passphrase, key file or token of "
                    + "before?)")
        }
    }

    private struct SealedKey: Sendable {
        var lock: any SecretLock
        var bytes: [UInt8]

        func store(_ db: Database) throws {
            try db.execute(
                sql: "UPDATE main.epoch SET lock_kind = ?, lock_identity = ?, sealed_key = ? WHERE id = 1",
                arguments: [lock.kind.rawValue, lock.identity, Hexadecimal.encode(bytes)])
        }
    }

    private func sealed(_ key: SharedSecret, _ locks: [any SecretLock]) async throws -> SealedKey {
        guard let lock = locks.first else { throw StorageError("no secret lock is configured") }
        return SealedKey(lock: lock, bytes: try await lock.seal(key, identity: identity))
    }

    // MARK: The file

    /// - Returns: The sum over the rows, which the seal fits.
    private func compare(_ found: Found, _ key: SharedSecret) async throws -> RowSum {
        let triggers = SealTriggers(sealer: RowSealer(file: name, key: key), tables: tables)
        let total = try await pool.read { db in try triggers.total(db) }
        guard let value = found.value, let seal = Hexadecimal.decode(found.seal ?? ""),
            ConstantTime.equal(try triggers.sealer.seal(epoch: value, total: total.bytes), seal)
        else {
            throw edited(
                "its seal does not hold: a row was put back, added or removed, or its epoch, which is "
                    + "\(found.value ?? 0), was edited")
        }
        return total
    }

    /// From here on the connection that writes seals.
    private func begin(
        _ found: Found, _ key: SharedSecret, _ total: RowSum, _ locks: [any SecretLock]
    ) async throws {
        let triggers = SealTriggers(sealer: RowSealer(file: name, key: key), tables: tables)
        // The operator configured another lock since: the key goes with it.
        let moved =
            locks.first.map { $0.kind.rawValue != found.lockKind || $0.identity != found.lockIdentity } ?? false
        let sealedKey = moved ? try await sealed(key, locks) : nil
        try await pool.writeWithoutTransaction { db in
            try SealTriggers.prepare(db)
            try db.inTransaction(.immediate) {
                // Nothing that is summed up was written since it was: nobody may before this.
                let now = try Found(db)
                guard let value = now.value, value == found.value, now.seal == found.seal else {
                    throw StorageError("another process writes '\(self.path)'")
                }
                try sealedKey?.store(db)
                try triggers.install(db, total: total, epoch: value)
                return .commit
            }
            // Before anybody writes again.
            self.become(.open(triggers.sealer))
        }
    }

    // MARK: Structure

    /// What is wrong with the trees and the texts of the tables that decide: an index that lacks a row hides it from whoever
    /// looks for it and from whoever removes it, although the row is there to be summed up; so does a text that we read cut.
    private func unsoundness() async throws -> Problem? {
        try await pool.read { [tables] db in try Self.fault(tables, db) }
            .map { edited("\($0); restore a backup") }
    }

    private static func fault(_ tables: [SealedTable], _ db: Database) throws -> String? {
        for table in tables.map(\.name) + ["epoch"] {
            let line = try String.fetchOne(db, sql: "PRAGMA main.integrity_check('\(table)')")
            if let line, line != "ok" { return "its table \(table) and the indexes of it do not agree (\(line))" }
        }
        return try SQLiteFile.textFault(db, tables: tables.map(\.name))
    }

    /// - Parameter epoch: Nil for the one that the file has.
    private func seal(afresh locks: [any SecretLock], epoch asked: Int64?) async throws {
        let key = SharedSecret(try SecretBytes.random(count: RowSealer.length))
        let sealedKey = try await sealed(key, locks)
        let triggers = SealTriggers(sealer: RowSealer(file: name, key: key), tables: tables)
        try await pool.writeWithoutTransaction { db in
            try SealTriggers.prepare(db)
            var epoch = asked ?? 0
            try db.inTransaction(.immediate) {
                try db.execute(sql: "INSERT OR IGNORE INTO main.epoch (id, value) VALUES (1, 0)")
                if asked == nil { epoch = Int64(try Found(db).epoch) }
                try db.execute(sql: "UPDATE main.epoch SET value = ? WHERE id = 1", arguments: [epoch])
                try sealedKey.store(db)
                for table in self.tables { try db.execute(sql: "REINDEX main.\(table.name)") }
                if let fault = try Self.fault(self.tables, db) {
                    throw StorageError("'\(self.path)' is damaged: \(fault); restore a backup")
                }
                try triggers.stampAll(db)
                let total = try triggers.total(db)
                let seal = Hexadecimal.encode(try triggers.sealer.seal(epoch: epoch, total: total.bytes))
                try db.execute(sql: "UPDATE main.epoch SET seal = ? WHERE id = 1", arguments: [seal])
                try triggers.install(db, total: total, epoch: epoch)
                return .commit
            }
            self.reset(UInt64(epoch))
            self.become(.open(triggers.sealer))
        }
    }
}
