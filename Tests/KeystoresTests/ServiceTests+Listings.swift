import EnclaveLock
import Foundation
import SecretMemory
import Testing
import WorkingKeys

@testable import Keystores

extension ServiceTests {
    @Test func metadataTellsWhatIsTrueInKeysAndInListings() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let created = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP384DER")
        let metadata = try await fixture.restarted().key(keystore: keystore, key: created.id)
        #expect(metadata.type == "ECDSAP384DER")
        #expect(metadata.state == .enabled)
        #expect(metadata.protection == .sealed)
        #expect(metadata.provenance == .bornInDaemon)
        #expect(metadata.destroyAt == nil)
        #expect(metadata.publicKey.map { [UInt8]($0) } == created.publicKey)
        #expect(abs(metadata.createdAt.timeIntervalSinceNow) < 60)
        #expect(try await fixture.service.keys(keystore: keystore, after: nil, limit: 10).items == [metadata])

        let described = try await fixture.service.keystore(keystore)
        #expect(described.controller == "did:key:alice")
        #expect(described.lockSlots == [.init(id: 1, kind: "token", identity: "memory:1")])
        #expect(try await fixture.service.keystores(controller: nil, after: nil, limit: 10).items == [described])
    }

    @Test func listingsComeInPages() async throws {
        let fixture = try Fixture()
        for _ in 0..<5 { _ = try await fixture.keystore() }
        _ = try await fixture.keystore("did:key:bob")
        var (ids, next) = ([String](), String?.none)
        repeat {
            let page = try await fixture.service.keystores(controller: "did:key:alice", after: next, limit: 2)
            ids += page.items.map(\.id)
            next = page.next
        } while next != nil
        #expect(ids.count == 5 && ids == ids.sorted())
        for limit in [0, -1, 1001] {
            let refused = await code {
                _ = try await fixture.service.keystores(controller: nil, after: nil, limit: limit)
            }
            #expect(refused == .invalidArgument)
        }
    }

    @Test func aKeystoreSealedByAnotherLockIsLockedNotLost() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let strangers = [try InMemoryLock(keyByte: 8), try InMemoryLock(keyByte: 8, identity: "memory:2")]
        for lock in strangers {
            let service = KeystoreService(
                store: fixture.store, lock: lock, resident: nil, configuration: KeystoreConfiguration())
            #expect(
                await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") } == .keystoreLocked)
        }
        _ = try await fixture.service.createKey(keystore: keystore, type: "ED25519")
    }

    @Test func aResidentKeystoreNeedsAToken() async throws {
        let fixture = try Fixture()
        let refused = await code {
            _ = try await fixture.service.createKeystore(controller: "a", protection: .resident)
        }
        #expect(refused == .mechanismUnsupported)
    }

    @Test func theServiceIsReadyAndSaysWhatKeepsItFromBeingSo() async throws {
        let fixture = try Fixture()
        #expect(await fixture.service.readiness.isEmpty)
        fixture.lock.fail(with: EnclaveLockError(.tokenFailed, "away"))
        let problems = await fixture.restarted().readiness
        #expect(problems.map(\.component) == [.lock])
        try fixture.store.close()
        fixture.lock.fail(with: nil)
        #expect(await fixture.restarted().readiness.map(\.component) == [.store])
    }
}
