import Foundation
import GRDB
import Glibc
import Storage
import Testing

@testable import Keystores

/// The disk refuses. Each test runs in a process of its own, since it changes limits or the user of the whole process.
@Suite("Storage that fails", .timeLimit(.minutes(10))) struct StorageFailureTests {
    private static func limitFileSize(to bytes: rlim_t) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = min(bytes, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    }

    @Test func aFullDiskFailsTheRequestStoresNothingByHalvesAndIsOverWhenThereIsRoomAgain() async throws {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let fixture = try Fixture()
            let service = fixture.service
            let keystore = try await fixture.keystore()
            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
            _ = try await service.sign(keystore: keystore, key: key, message: [])

            let log = try FileManager.default.attributesOfItem(atPath: fixture.folder.database + "-wal")
            let size = try #require(log[.size] as? NSNumber).uintValue
            Self.limitFileSize(to: size + 20_000)
            var stored = 1
            var refused: KMSError.Code?
            for _ in 0..<1000 where refused == nil {
                refused = await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") }
                if refused == nil { stored += 1 }
            }
            #expect(refused == .storageUnavailable)
            // What needs no disk goes on, and readiness tells.
            _ = try await service.sign(keystore: keystore, key: key, message: [])
            #expect(try await service.keys(keystore: keystore, after: nil, limit: 1000).items.count == stored)
            #expect(await service.readiness.map(\.component) == [.store])
            for _ in 0..<5 {
                let codes = [
                    await code { _ = try await service.disableKey(keystore: keystore, key: key) },
                    await code { _ = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519") },
                    await code { _ = try await service.destroyKey(keystore: keystore, key: key, grace: .zero) },
                ]
                #expect(codes.allSatisfy { $0 == .storageUnavailable })
            }
            #expect(try await service.key(keystore: keystore, key: key).state == .enabled)

            Self.limitFileSize(to: rlim_t.max)
            _ = try await service.createKey(keystore: keystore, type: "ED25519")
            #expect(try await service.disableKey(keystore: keystore, key: key).state == .disabled)
            #expect(
                try await fixture.restarted().keys(keystore: keystore, after: nil, limit: 1000).items.count == stored
                    + 1)
            #expect(await fixture.restarted().readiness.isEmpty)
            let check = try await fixture.store.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
            #expect(check == "ok")
        }
    }

    @Test func aDirectoryOrFileThatMayNotBeWrittenIsRefusedAtTheStartWithTheRemedy() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try Folder()
            if geteuid() == 0 {
                // Root may write everywhere, so this process becomes somebody else.
                chown(folder.path, 65534, 65534)
                #expect(seteuid(65534) == 0)
            }
            chmod(folder.path, 0o500)
            let missing = #expect(throws: KMSError.self) { try SQLiteKeystoreStore(path: folder.database) }
            #expect(missing?.code == .storageUnavailable)
            #expect(missing?.detail?.contains("may be written") == true)
            chmod(folder.path, 0o700)
            try SQLiteKeystoreStore(path: folder.database).close()
            chmod(folder.database, 0o400)
            let readOnly = #expect(throws: KMSError.self) { try SQLiteKeystoreStore(path: folder.database) }
            #expect(readOnly?.code == .storageUnavailable)
            chmod(folder.database, 0o600)
            _ = try SQLiteKeystoreStore(path: folder.database)
        }
    }

    @Test(arguments: 1...4)
    func aFailureAtAnyPointOfAWriteChangesNothingAndIsOverWithItsCause(point: Int) async throws {
        let folder = try Folder()
        let failing = CrashTests.Counter()
        let armed = CrashTests.Counter()
        let faults = WriteFaults { reached in
            guard armed.value > 0, reached != .afterCommit, failing.next() == point else { return }
            throw DatabaseError(resultCode: .SQLITE_FULL)
        }
        let store = try SQLiteKeystoreStore(path: folder.database, queueLimit: 16, faults: faults)
        let service = KeystoreService(
            store: store, lock: try InMemoryLock(), resident: nil, configuration: KeystoreConfiguration())
        let keystore = try await service.createKeystore(controller: "alice", protection: .sealed).id
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = armed.next()
        #expect(
            await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") } == .storageUnavailable)
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 9).items.map(\.id) == [key])
        _ = try await service.createKey(keystore: keystore, type: "ED25519")
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 9).items.count == 2)
    }
}
