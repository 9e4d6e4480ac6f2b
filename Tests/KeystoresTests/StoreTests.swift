import Foundation
import GRDB
import Glibc
import Storage
import Testing

@testable import Keystores

@Suite("SQLite store", .timeLimit(.minutes(10))) struct StoreTests {
    private func keystore(_ id: String, controller: String = "c") -> KeystoreRecord {
        KeystoreRecord(
            id: id, controller: controller, protection: "sealed", lockRecord: [1, 2, 3], capability: nil, createdAt: 5,
            authenticator: [UInt8](repeating: 1, count: 32))
    }

    private func key(_ id: String, in keystore: String = "ks", state: String = "enabled") -> KeyRecord {
        KeyRecord(
            keystore: keystore, id: id, type: "ED25519", state: state, protection: "sealed",
            provenance: "imported", createdAt: 6, destroyAt: nil, publicKey: [4, 5],
            versions: [.init(version: 1, createdAt: 7, sealed: [8, 9])],
            authenticator: Array(id.utf8))
    }

    @Test func theWriterFlushesAtEveryCommitOverwritesWhatItDeletesAndKeepsForeignKeys() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        let values = try await store.pool.writeWithoutTransaction { db in
            try ["synchronous", "secure_delete", "foreign_keys", "busy_timeout"].map {
                try Int.fetchOne(db, sql: "PRAGMA \($0)") ?? -1
            }
        }
        #expect(values == [2, 1, 1, 5000])
        #expect(
            try await store.pool.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
    }

    @Test func filesAreForTheirOwnerOnly() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        try await store.insertKeystore(keystore("ks"), limits: KeystoreLimits(controller: 10))
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            #expect(lstat(folder.database + suffix, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(suffix)")
        }
    }

    @Test func filesThatOthersMayReadLinksAndMissingDirectoriesAreRefused() throws {
        let folder = try Folder()
        _ = try SQLiteKeystoreStore(path: folder.database)
        chmod(folder.database, 0o640)
        let link = folder.path + "/link"
        symlink(folder.database, link)
        for path in [folder.database, link, folder.path + "/missing/db", "", folder.path] {
            let error = #expect(throws: KMSError.self) { try SQLiteKeystoreStore(path: path) }
            #expect(error?.code == .storageUnavailable)
            #expect(error?.detail?.isEmpty == false)
        }
    }

    @Test func aNewerSchemaAnotherProgramsDatabaseAndATextFileAreRefused() throws {
        let newer = try Folder()
        _ = try SQLiteKeystoreStore(path: newer.database)
        try DatabaseQueue(path: newer.database).write { try $0.execute(sql: "PRAGMA user_version = 99") }
        let error = #expect(throws: KMSError.self) { try SQLiteKeystoreStore(path: newer.database) }
        #expect(error?.detail?.contains("99") == true)

        let foreign = try Folder()
        try DatabaseQueue(path: foreign.database).write { try $0.execute(sql: "CREATE TABLE t (x)") }
        chmod(foreign.database, 0o600)
        #expect(throws: KMSError.self) { try SQLiteKeystoreStore(path: foreign.database) }

        let text = try Folder()
        try Data("no database at all, but long enough to be read as a header".utf8)
            .write(to: URL(fileURLWithPath: text.database))
        chmod(text.database, 0o600)
        #expect(throws: KMSError.self) { try SQLiteKeystoreStore(path: text.database) }
    }

    @Test func whatWasStoredIsThereAfterOpeningAgain() async throws {
        let folder = try Folder()
        do {
            let store = try SQLiteKeystoreStore(path: folder.database)
            try await store.insertKeystore(keystore("ks"), limits: KeystoreLimits(controller: 10))
            try await store.insertKey(key("k"), limit: 10)
            try store.close()
        }
        let store = try SQLiteKeystoreStore(path: folder.database)
        #expect(try await store.keystore("ks") == keystore("ks"))
        #expect(try await store.key(keystore: "ks", id: "k") == key("k"))
        #expect(try await store.key(keystore: "ks", id: "l") == nil)
    }

    @Test func afterACleanEndTheFileAloneHoldsEverythingAndNoLogIsLeft() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        try await store.insertKeystore(keystore("ks"), limits: KeystoreLimits(controller: 10))
        try await store.insertKey(key("k"), limit: 10)
        #expect(try await store.key(keystore: "ks", id: "k") != nil, "opens a reader")
        try store.close()
        #expect(access(folder.database + "-wal", F_OK) != 0)
        let copy = try Folder()
        try FileManager.default.copyItem(atPath: folder.database, toPath: copy.database)
        let restored = try SQLiteKeystoreStore(path: copy.database)
        #expect(try await restored.key(keystore: "ks", id: "k") == key("k"))
        try restored.close()
    }

    @Test func inOneBatchEachWriteSucceedsOrFailsAlone() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        try await store.insertKeystore(keystore("ks"), limits: KeystoreLimits(controller: 10))
        let outcomes = await withTaskGroup(of: KMSError.Code?.self) { group in
            for index in 0..<300 {
                // Every id twice, and every third without its keystore.
                let record = key("k\(index / 2)", in: index % 3 == 0 ? "none" : "ks")
                group.addTask { await code { try await store.insertKey(record, limit: 10_000) } }
            }
            return await group.reduce(into: [KMSError.Code?]()) { $0.append($1) }
        }
        let stored = try await store.keys(keystore: "ks", after: nil, limit: 1000)
        #expect(outcomes.count { $0 == nil } == stored.count)
        #expect(outcomes.count { $0 == .notFound } == 100)
        #expect(outcomes.count { $0 == .alreadyExists } == 200 - stored.count)
        #expect(stored.allSatisfy { $0.versions.count == 1 })
    }

    @Test func quotasHoldToTheLastOneAlsoWhenWritesComeTogether() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        try await store.insertKeystore(keystore("ks"), limits: KeystoreLimits(controller: 2))
        try await store.insertKeystore(keystore("kt"), limits: KeystoreLimits(controller: 2))
        let limits = KeystoreLimits(controller: 2)
        #expect(await code { try await store.insertKeystore(keystore("ku"), limits: limits) } == .quotaExceeded)
        try await store.insertKeystore(keystore("ku", controller: "d"), limits: KeystoreLimits(controller: 2))
        // Controllers that differ in the spelling of a letter only have a quota each.
        for (index, name) in ["Zo\u{eb}", "Zoe\u{308}"].enumerated() {
            try await store.insertKeystore(
                keystore("zo\(index)", controller: name), limits: KeystoreLimits(controller: 1))
            #expect(try await store.keystores(controller: name, after: nil, limit: 9).map(\.id) == ["zo\(index)"])
        }
        let outcomes = await withTaskGroup(of: KMSError.Code?.self) { group in
            for index in 0..<50 {
                group.addTask { await code { try await store.insertKey(key("k\(index)"), limit: 20) } }
            }
            return await group.reduce(into: [KMSError.Code?]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == nil } == 20)
        #expect(outcomes.count { $0 == .quotaExceeded } == 30)
    }

    @Test func keystoresAreBoundedByMakerAndAltogether() async throws {
        let folder = try Folder()
        var store = try SQLiteKeystoreStore(path: folder.database)
        func insert(_ id: String, _ maker: String?, limit: Int = 3, total: Int = 0) async -> KMSError.Code? {
            let limits = KeystoreLimits(
                controller: 100, total: total, maker: maker.map { KeystoreMaker(name: $0, limit: limit) })
            return await code { try await store.insertKeystore(keystore(id, controller: "did:\(id)"), limits: limits) }
        }
        for number in 0..<3 { #expect(await insert("a\(number)", "caller:a") == nil) }
        #expect(await insert("a3", "caller:a") == .quotaExceeded)
        #expect(await insert("b0", "caller:b") == nil)
        // Spellings are names of their own, whatever they hold.
        #expect(await insert("z0", "caller:Zo\u{eb}\0", limit: 1) == nil)
        #expect(await insert("z1", "caller:Zoe\u{308}\0", limit: 1) == nil)
        #expect(await insert("z2", "caller:Zo\u{eb}\0x", limit: 1) == nil)
        #expect(await insert("z3", "caller:Zo\u{eb}\0", limit: 1) == .quotaExceeded)
        try store.close()
        store = try SQLiteKeystoreStore(path: folder.database)
        #expect(await insert("a3", "caller:a") == .quotaExceeded, "a restart forgets nothing")
        #expect(await insert("a3", "caller:a", limit: 4) == nil, "the operator may raise it")
        #expect(await insert("a4", nil) == nil)
        #expect(await insert("a5", "caller:a", limit: 0) == nil)
        let count = try await store.keystores(controller: nil, after: nil, limit: 100).count
        #expect(await insert("c0", "caller:c", total: count) == .quotaExceeded)
        #expect(await insert("c0", "caller:c", total: count + 1) == nil)
        #expect(await insert("c1", "caller:c", total: count + 1) == .quotaExceeded)
        try store.close()
    }

    @Test func pagesFollowEachOtherWithoutAGap() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        for keystore in ["a", "b", "c"] {
            try await store.insertKeystore(self.keystore(keystore), limits: KeystoreLimits(controller: 10))
        }
        for index in 0..<25 { try await store.insertKey(key("k\(index)", in: "b"), limit: 100) }
        var found: [String] = []
        var last: String?
        while true {
            let page = try await store.keys(keystore: "b", after: last, limit: 7)
            if page.isEmpty { break }
            #expect(page.allSatisfy { $0.versions.map(\.sealed) == [[]] })
            found += page.map(\.id)
            last = page.last?.id
        }
        #expect(found == (0..<25).map { "k\($0)" }.sorted())
        #expect(try await store.keystores(controller: nil, after: "a", limit: 1).map(\.id) == ["b"])
        #expect(try await store.keystores(controller: "nobody", after: nil, limit: 9).isEmpty)
    }

    @Test func aChangeOnTheConditionOfAnotherAuthenticatorChangesNothing() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        try await store.insertKeystore(keystore("ks"), limits: KeystoreLimits(controller: 10))
        try await store.insertKey(key("k"), limit: 10)
        let changed = key("k", state: "disabled")
        #expect(try await !store.updateKey(changed, expecting: [1]))
        #expect(try await !store.eraseKey(changed, expecting: [1]))
        #expect(try await !store.replaceKey(id: "k", with: key("l"), expecting: [1]))
        #expect(try await store.key(keystore: "ks", id: "k") == key("k"))
        #expect(try await store.key(keystore: "ks", id: "l") == nil)
        #expect(try await store.updateKey(changed, expecting: key("k").authenticator))
        #expect(try await store.key(keystore: "ks", id: "k")?.state == "disabled")
    }

    @Test func aQueueThatIsFullRefuses() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database, queueLimit: 4, faults: .none)
        let limits = KeystoreLimits(controller: 1000)
        let outcomes = await withTaskGroup(of: KMSError.Code?.self) { group in
            for index in 0..<200 {
                group.addTask { await code { try await store.insertKeystore(keystore("k\(index)"), limits: limits) } }
            }
            return await group.reduce(into: [KMSError.Code?]()) { $0.append($1) }
        }
        let stored = try await store.keystores(controller: nil, after: nil, limit: 1000).count
        #expect(outcomes.count { $0 == nil } == stored)
        #expect(outcomes.count { $0 == .overloaded } == 200 - stored)
    }
}
