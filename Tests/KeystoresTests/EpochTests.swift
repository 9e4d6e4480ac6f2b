import Foundation
import GRDB
import Storage
import Synchronization
import Testing

@testable import Keystores

/// Every change that an older copy of the file would undo raises its epoch, in the same transaction.
@Suite("Epoch of the database", .timeLimit(.minutes(10))) struct EpochTests {
    private func service(_ store: SQLiteKeystoreStore) throws -> KeystoreService {
        KeystoreService(store: store, lock: try InMemoryLock(), resident: nil, configuration: KeystoreConfiguration())
    }

    private func onDisk(_ path: String) throws -> Int? {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { try Int.fetchOne($0, sql: "SELECT value FROM epoch") }
    }

    @Test func makingRaisesNothingChangingDoesAndAWishThatChangesNothingDoesNot() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        let service = try service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "k")
        #expect(store.epoch == 0)
        let rotated = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519")
        #expect(store.epoch == 1)
        _ = try await service.disableKey(keystore: keystore, key: rotated)
        _ = try await service.disableKey(keystore: keystore, key: rotated)
        #expect(store.epoch == 2)
        _ = try await service.enableKey(keystore: keystore, key: rotated)
        #expect(store.epoch == 3)
        _ = try await service.destroyKey(keystore: keystore, key: rotated, grace: .seconds(60))
        _ = try await service.cancelDestruction(keystore: keystore, key: rotated)
        #expect(store.epoch == 5)
        _ = try await service.destroyKey(keystore: keystore, key: rotated, grace: .zero)
        #expect(store.epoch == 6)
        await #expect(throws: KMSError.self) { try await service.enableKey(keystore: keystore, key: rotated) }
        #expect(store.epoch == 6)
        try store.close()
        #expect(try onDisk(folder.database) == 6)
        let again = try SQLiteKeystoreStore(path: folder.database)
        #expect(again.epoch == 6)
    }

    @Test func aChangeThatFailsRaisesNothing() async throws {
        let folder = try Folder()
        let fails = Mutex(false)
        let store = try SQLiteKeystoreStore(
            path: folder.database, queueLimit: 16,
            faults: WriteFaults { point in
                if point == .beforeCommit, fails.withLock({ $0 }) { throw DatabaseError(resultCode: .SQLITE_FULL) }
            })
        let service = try service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        fails.withLock { $0 = true }
        await #expect(throws: KMSError.self) { try await service.disableKey(keystore: keystore, key: key) }
        #expect(store.epoch == 0)
        fails.withLock { $0 = false }
        _ = try await service.disableKey(keystore: keystore, key: key)
        #expect(store.epoch == 1)
    }

    @Test func changesThatComeTogetherEachRaiseIt() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        let service = try service(store)
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        var keys: [String] = []
        for _ in 0..<40 { keys.append(try await service.createKey(keystore: keystore, type: "ED25519").id) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in keys { group.addTask { _ = try await service.disableKey(keystore: keystore, key: key) } }
            try await group.waitForAll()
        }
        #expect(store.epoch == 40)
        #expect(try onDisk(folder.database) == 40)
    }

    @Test func anEpochThatIsLostOrWentBackUnderTheRunningDaemonStopsChanges() async throws {
        for edit in ["UPDATE epoch SET value = 0", "DELETE FROM epoch", "UPDATE epoch SET value = -1"] {
            let folder = try Folder()
            let store = try SQLiteKeystoreStore(path: folder.database)
            let service = try service(store)
            let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
            _ = try await service.disableKey(keystore: keystore, key: key)
            _ = try await service.enableKey(keystore: keystore, key: key)
            try await store.pool.write { try $0.execute(sql: edit) }
            #expect(
                await code { _ = try await service.disableKey(keystore: keystore, key: key) } == .storageUnavailable)
            #expect(try await service.key(keystore: keystore, key: key).state == .enabled)
        }
    }
}
