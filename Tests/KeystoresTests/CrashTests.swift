import Foundation
import GRDB
import Glibc
import Storage
import Synchronization
import Testing

@testable import Keystores

/// A child process kills itself at each point of a write, as `kill -9` would; afterwards the key store holds the old state
/// or the new one.
@Suite("Killed in the middle of a write", .timeLimit(.minutes(10))) struct CrashTests {
    enum Operation: String, CaseIterable, Sendable, Codable {
        case create, importing, rotate, disable, destroy, schedule
    }

    /// Makes a database with one keystore and a key `k`, and closes it.
    static func prepare(_ path: String) async throws -> String {
        let store = try SQLiteKeystoreStore(path: path)
        let service = KeystoreService(
            store: store, lock: try InMemoryLock(), resident: nil, configuration: KeystoreConfiguration())
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        _ = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "k")
        try store.close()
        return keystore
    }

    /// Does the operation with a hook at every write point.
    static func run(
        _ operation: Operation, path: String, keystore: String, reached: @escaping @Sendable (Int) -> Void
    ) async throws -> Int {
        let count = Counter()
        let faults = WriteFaults { _ in reached(count.next()) }
        let store = try SQLiteKeystoreStore(path: path, queueLimit: 16, faults: faults)
        let service = KeystoreService(
            store: store, lock: try InMemoryLock(), resident: nil, configuration: KeystoreConfiguration())
        switch operation {
        case .create: _ = try await service.createKey(keystore: keystore, type: "ECDSAP256DER")
        case .importing:
            _ = try await service.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "new")
        case .rotate: _ = try await service.rotateKey(keystore: keystore, key: "k", type: "ED25519")
        case .disable: _ = try await service.disableKey(keystore: keystore, key: "k")
        case .destroy: _ = try await service.destroyKey(keystore: keystore, key: "k", grace: .zero)
        case .schedule: _ = try await service.destroyKey(keystore: keystore, key: "k", grace: .seconds(60))
        }
        return count.value
    }

    final class Counter: Sendable {
        private let number = Mutex(0)
        var value: Int { number.withLock { $0 } }
        func next() -> Int {
            number.withLock {
                $0 += 1
                return $0
            }
        }
    }

    @Test(arguments: Operation.allCases)
    func theStoreHoldsTheOldStateOrTheNewOne(operation: Operation) async throws {
        let rehearsal = try Folder()
        let points = try await Self.run(
            operation, path: rehearsal.database, keystore: try await Self.prepare(rehearsal.database), reached: { _ in }
        )
        #expect(points >= 4)
        for point in 1...points {
            let folder = try Folder()
            let path = folder.database
            let keystore = try await Self.prepare(path)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [
                    operation = operation as Operation, path = path as String, keystore = keystore as String,
                    point = point as Int
                ] in
                _ = try await CrashTests.run(operation, path: path, keystore: keystore) { reached in
                    if reached == point { kill(getpid(), SIGKILL) }
                }
            }
            try await check(operation, path, keystore, isNew: point == points)
        }
    }

    /// - Parameter isNew: Only the last point lies after the commit.
    private func check(_ operation: Operation, _ path: String, _ keystore: String, isNew: Bool) async throws {
        let store = try SQLiteKeystoreStore(path: path)
        let service = KeystoreService(
            store: store, lock: try InMemoryLock(), resident: nil, configuration: KeystoreConfiguration())
        let keys = try await service.keys(keystore: keystore, after: nil, limit: 100).items
        #expect(!keys.contains { $0.state == .damaged })
        for key in keys where key.state == .enabled {
            let signature = try await service.sign(keystore: keystore, key: key.id, message: [1])
            try await service.verify(keystore: keystore, key: key.id, signature: signature, message: [1])
        }
        let orphans = try await store.pool.read { db in
            try Int.fetchOne(
                db,
                sql: "SELECT COUNT(*) FROM key_versions v LEFT JOIN keys k ON k.keystore = v.keystore AND k.id = v.key "
                    + "WHERE k.id IS NULL OR k.state = 'destroyed'")
        }
        #expect(orphans == 0)
        let old = keys.first { $0.id == "k" }
        switch operation {
        case .create, .importing: #expect(keys.count == (isNew ? 2 : 1))
        case .rotate:
            #expect(keys.map(\.versions.count) == [isNew ? 2 : 1])
            #expect((old == nil) == isNew)
        case .disable: #expect(old?.state == (isNew ? .disabled : .enabled))
        case .destroy: #expect(old?.state == (isNew ? .destroyed : .enabled))
        case .schedule: #expect(old?.state == (isNew ? .pendingDestruction : .enabled))
        }
        // And it can be written again.
        _ = try await service.createKey(keystore: keystore, type: "ED25519")
    }
}
