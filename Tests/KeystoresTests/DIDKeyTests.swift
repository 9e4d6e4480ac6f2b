import Capabilities
import EnclaveLock
import Foundation
import GRDB
import LibCrypto
import Testing
import WorkingKeys

@testable import Keystores

@Suite("The daemon's own signing keys", .timeLimit(.minutes(10)))
struct DIDKeyTests {
    @Test func aKeySignsUnderItsDIDAlsoAfterARestartAndTheTokenIsAskedOnce() async throws {
        let fixture = try Fixture()
        let did = try await fixture.service.createDID()
        let name = try #require(DIDKey(did))
        #expect(name.description == did && did.contains("#"))
        let restarted = fixture.restarted()
        let before = fixture.lock.opened
        for _ in 0..<3 {
            let signature = try await restarted.didKey(did).sign(Samples.message)
            let key = try VerificationKey(curve: .ed25519, publicKey: name.publicKey)
            #expect(try key.verify(signature, message: Samples.message))
        }
        #expect(fixture.lock.opened == before + 1)
    }

    @Test func withoutALifetimeNothingIsKept() async throws {
        var configuration = KeystoreConfiguration()
        configuration.lockKeyTTL = .zero
        let fixture = try Fixture(configuration: configuration)
        let did = try await fixture.service.createDID()
        _ = try await fixture.service.didKey(did)
        _ = try await fixture.service.didKey(did)
        #expect(fixture.lock.opened == 2)
        #expect(fixture.service.openedKeys.count == 0)
    }

    @Test func aRowUnderAnotherNameAChangedRowAndAnotherLockAreRefused() async throws {
        let fixture = try Fixture()
        let first = try await fixture.service.createDID()
        let second = try await fixture.service.createDID()
        let attacker = try fixture.attacker()
        try await attacker.write { db in
            let swapped = try Row.fetchOne(db, sql: "SELECT sealed FROM did_keys WHERE did = ?", arguments: [second])
            try db.execute(
                sql: "UPDATE did_keys SET sealed = ? WHERE did = ?", arguments: [swapped?["sealed"], first])
            try db.execute(sql: "UPDATE did_keys SET lock_identity = 'memory:9' WHERE did = ?", arguments: [second])
        }
        let service = fixture.restarted()
        let damaged = await #expect(throws: KMSError.self) { _ = try await service.didKey(first) }
        #expect(damaged?.code == .internal)
        let foreign = await #expect(throws: KMSError.self) { _ = try await service.didKey(second) }
        #expect(foreign?.code == .keystoreLocked)
        let unknown = await #expect(throws: KMSError.self) { _ = try await service.didKey("did:key:z6Mk#z6Mk") }
        #expect(unknown?.code == .notFound)
    }

    @Test func aDatabaseOfSchema1IsBroughtForwardWithItsRows() async throws {
        let folder = try Folder()
        do {
            let old = try DatabaseQueue(path: folder.database)
            try await old.write { db in
                try db.execute(sql: Schema.steps[0])
                try db.execute(
                    sql: "INSERT INTO keystores VALUES ('ks', 'c', 'sealed', x'01', NULL, 5, x'02')")
                try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
                try db.execute(sql: "PRAGMA user_version = 1")
            }
            try old.close()
        }
        chmod(folder.database, 0o600)
        let store = try SQLiteKeystoreStore(path: folder.database)
        let record = try #require(try await store.keystore("ks"))
        #expect(record.controller == "c" && record.vault == nil && record.authenticator == [2])
        #expect(try await store.didKey("did:key:z1#z1") == nil)
    }

    @Test func thereIsABound() async throws {
        var configuration = KeystoreConfiguration()
        configuration.maximumDIDKeys = 2
        let fixture = try Fixture(configuration: configuration)
        _ = try await fixture.service.createDID()
        _ = try await fixture.service.createDID()
        let refused = await #expect(throws: KMSError.self) { _ = try await fixture.service.createDID() }
        #expect(refused?.code == .quotaExceeded)
    }
}
