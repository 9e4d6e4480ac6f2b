import Capabilities
import EnclaveLock
import Foundation
import GRDB
import Storage
import Testing

@testable import Keystores

/// The seal of the database: it holds after whatever the daemon does, and for nothing else.
@Suite("Seal of the database", .timeLimit(.minutes(10))) struct SealTests {
    private let lock: InMemoryLock
    private let folder: Folder

    init() throws {
        lock = try InMemoryLock()
        folder = try Folder()
    }

    private func open(told: UInt64? = nil, least: UInt64 = 0) async throws -> SQLiteKeystoreStore {
        let store = try SQLiteKeystoreStore(path: folder.database)
        do { _ = try await store.seal.open(locks: [lock], told: told, least: least) } catch {
            try store.close()
            throw error
        }
        return store
    }

    private func service(_ store: SQLiteKeystoreStore) -> KeystoreService {
        KeystoreService(store: store, lock: lock, resident: nil, configuration: KeystoreConfiguration())
    }

    private func edit(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: folder.database, configuration: configuration)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func refusal() async -> StateSeal.Problem? {
        do {
            try await open().close()
            return nil
        } catch { return error as? StateSeal.Problem }
    }

    @Test func itHoldsAfterEveryKindOfChangeAndAfterChangesThatFailed() async throws {
        var store = try await open()
        var service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        var keys: [String] = []
        for _ in 0..<20 { keys.append(try await service.createKey(keystore: keystore, type: "ED25519").id) }
        keys[0] = try await service.rotateKey(keystore: keystore, key: keys[0], type: "ED25519")
        let (busy, making) = (service, keys)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in making {
                group.addTask { _ = try await busy.disableKey(keystore: keystore, key: key) }
                group.addTask { _ = try await busy.createKey(keystore: keystore, type: "ED25519") }
                group.addTask { _ = try? await busy.enableKey(keystore: keystore, key: key + "x") }
            }
            try await group.waitForAll()
        }
        _ = try await service.destroyKey(keystore: keystore, key: keys[1], grace: .zero)
        await #expect(throws: KMSError.self) {
            try await service.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: keys[2])
        }
        let epoch = store.epoch
        try store.close()

        store = try await open(told: epoch, least: epoch)
        #expect(store.epoch == epoch)
        service = self.service(store)
        _ = try await service.enableKey(keystore: keystore, key: keys[2])
        #expect(try await service.key(keystore: keystore, key: keys[2]).state == .enabled)
        try store.close()
        #expect(await refusal() == nil)
    }

    @Test(
        "Rows and numbers that were edited while it was closed are refused",
        arguments: [
            "UPDATE epoch SET value = value + 1", "UPDATE epoch SET value = 9223372036854775807",
            "UPDATE epoch SET value = -1",
            "UPDATE epoch SET seal = 'ab'", "UPDATE epoch SET sealed_key = 'ab'",
            "UPDATE epoch SET lock_kind = 'aws'",
            "DELETE FROM epoch", "UPDATE keys SET serial = serial + 1", "UPDATE keys SET id = id || 'x'",
            "DELETE FROM key_versions; DELETE FROM keys", "INSERT INTO spent_signatures VALUES (x'00', 1)",
        ])
    func rowsAndNumbersThatWereEditedWhileItWasClosedAreRefused(_ sql: String) async throws {
        let store = try await open()
        let service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = try await service.disableKey(keystore: keystore, key: key)
        try store.close()
        #expect(await refusal() == nil)
        try edit(sql)
        let problem = try #require(await refusal())
        #expect(problem.message.contains("kmsd audit adopt-database"))
    }

    @Test func aRowThatWasEditedTakesItselfAwayAndNothingIsWrittenBeforeTheSealWasCompared() async throws {
        var store = try await open()
        var service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let other = try await service.createKey(keystore: keystore, type: "ED25519").id
        try store.close()
        try edit("UPDATE keys SET stamp = zeroblob(32) WHERE id = '\(key)'")
        store = try await open()
        service = self.service(store)
        #expect(await code { _ = try await service.key(keystore: keystore, key: key) } == .internal)
        #expect(try await service.key(keystore: keystore, key: other).state == .enabled)
        try store.close()

        store = try SQLiteKeystoreStore(path: folder.database)
        let locked = self.service(store)
        #expect(store.seal.isLocked && !store.seal.isOpen)
        #expect(await code { _ = try await locked.disableKey(keystore: keystore, key: other) } == .storageUnavailable)
        try await store.probe()
        try store.close()
    }

    @Test(
        "A schema that kmsd did not make is refused when the file is opened",
        arguments: [
            "CREATE TRIGGER other AFTER UPDATE ON keys BEGIN SELECT 1; END", "CREATE VIEW other AS SELECT 1",
            "CREATE TABLE other (id INTEGER)", "CREATE INDEX other ON keys (id)", "DROP INDEX keys_pending",
            "ALTER TABLE keys ADD COLUMN other TEXT", "ALTER TABLE keys RENAME COLUMN type TO kind",
            "PRAGMA user_version = 4",
        ])
    func aSchemaThatKmsdDidNotMakeIsRefusedWhenTheFileIsOpened(_ sql: String) throws {
        try SQLiteKeystoreStore(path: folder.database).close()
        try edit(sql)
        do {
            try SQLiteKeystoreStore(path: folder.database).close()
            Issue.record("it was opened")
        } catch {
            let detail = (error as? KMSError)?.detail ?? ""
            #expect(detail.contains("schema was changed") && detail.contains(folder.database))
        }
    }

    @Test func aRowKeepsTheMarksThatItCameWithAndOneWithoutGetsItsOwnAndBothAreSealed() async throws {
        let store = try await open()
        let service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let marks = try await store.pool.writeWithoutTransaction { db in
            try db.inTransaction {
                try db.execute(
                    sql: """
                        INSERT INTO keys (keystore, id, type, state, protection, provenance, created_at, authenticator)
                            SELECT keystore, 'unmarked', type, state, protection, provenance, created_at, authenticator
                                FROM keys
                        """)
                try store.seal.finish(db)
                return .commit
            }
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, serial, length(stamp) AS length FROM keys ORDER BY id = 'unmarked'")
            return rows.map { row -> (id: String, serial: Int64, length: Int) in
                (row["id"], row["serial"], row["length"])
            }
        }
        #expect(marks.map(\.id) == [key, "unmarked"] && marks.allSatisfy { $0.length == 32 })
        #expect(Set(marks.map(\.serial)).count == 2)
        #expect(try await store.seal.damagedRows().isEmpty)
        try store.close()
        #expect(await refusal() == nil)
    }

    @Test func nothingIsMadeOnceTheEpochIsGoneAndNothingIsSealedWhereNothingChanged() async throws {
        let store = try await open()
        let service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let changes = try await store.pool.writeWithoutTransaction { db in
            try store.seal.finish(db)
            return db.changesCount
        }
        #expect(changes == 0)
        try await store.pool.writeWithoutTransaction { try $0.execute(sql: "DELETE FROM epoch") }
        #expect(
            await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") } == .storageUnavailable)
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 10).items.isEmpty)
        try store.close()
    }

    @Test("Statistics change no answer") func statisticsChangeNoAnswer() async throws {
        try await open().close()
        try edit("ANALYZE")
        try await open().close()
    }

    @Test("A signature that was used raises the epoch, so an older file without it is refused")
    func aSignatureThatWasUsedRaisesTheEpochSoAnOlderFileWithoutItIsRefused() async throws {
        let store = try await open()
        try await store.keep(SpentSignature(name: [1, 2, 3], created: 4_000_000_000), owner: "a", now: 1)
        #expect(store.epoch == 1)
        try store.close()
    }

    @Test func aFileOfBeforeTheSealsGetsOneAFileThatLostItsSealDoesNot() async throws {
        let store = try SQLiteKeystoreStore(path: folder.database)
        let service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        _ = try await service.createKey(keystore: keystore, type: "ED25519")
        try store.close()
        try await open().close()
        #expect(await refusal() == nil)
        try edit("UPDATE epoch SET seal = NULL")
        await #expect(throws: StateSeal.Problem.self) { try await open(told: 0) }
        // Accepted by an operator.
        let lost = try SQLiteKeystoreStore(path: folder.database)
        try await lost.seal.adopt(locks: [lock], epoch: 5)
        #expect(lost.epoch == 5)
        try lost.close()
        try await open(told: 5, least: 5).close()
        await #expect(throws: StateSeal.Problem.self) { try await open(told: 6, least: 6) }
    }

    @Test func whatAStartCostsWith100_000Keys() async throws {
        let store = try await open()
        let service = service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        try store.close()
        try edit(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO keys (keystore, id, type, state, protection, provenance, created_at, authenticator)
                SELECT '\(keystore)', 'k' || i, 'ED25519', 'enabled', 'sealed', 'imported', i, randomblob(32) FROM n
            """)
        let filled = try SQLiteKeystoreStore(path: folder.database)
        try await filled.seal.adopt(locks: [lock], epoch: 1)
        try filled.close()
        let began = ContinuousClock.now
        try await open(told: 1, least: 1).close()
        let took = ContinuousClock.now - began
        print("seal of 100,000 keys compared in \(took)")
    }
}
