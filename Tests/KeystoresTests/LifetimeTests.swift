import EnclaveLock
import LibCrypto
import Testing

@testable import Keystores

@Suite("Lifetime of opened keys", .timeLimit(.minutes(10))) struct LifetimeTests {
    private func service(
        _ fixture: Fixture, ttl: Duration, keys: Int = 100
    ) -> (service: KeystoreService, store: CountingStore) {
        var configuration = KeystoreConfiguration()
        configuration.lockKeyTTL = ttl
        configuration.keyCacheSize = keys
        let store = CountingStore(fixture.store)
        return (
            KeystoreService(store: store, lock: fixture.lock, resident: nil, configuration: configuration), store
        )
    }

    @Test func aKeyUsedLatelyCostsNoQueryAndNoCallOfTheLock() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ED25519").id
        let (service, store) = service(fixture, ttl: .seconds(600))
        let before = fixture.lock.opened
        _ = try await service.sign(keystore: keystore, key: key, message: [])
        let (calls, opened) = (store.count, fixture.lock.opened)
        #expect(opened == before + 1)
        for _ in 0..<1000 { _ = try await service.sign(keystore: keystore, key: key, message: []) }
        #expect(store.count == calls)
        #expect(fixture.lock.opened == opened)
    }

    @Test func aLifetimeOfZeroAsksTheLockForEveryRequestAndKeepsNothing() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ED25519").id
        let (service, _) = service(fixture, ttl: .zero)
        let before = fixture.lock.opened
        for _ in 0..<10 { _ = try await service.sign(keystore: keystore, key: key, message: []) }
        #expect(fixture.lock.opened == before + 10)
        #expect(service.openedKeys.count == 0)
        #expect(service.lockKeys.count == 0)
        // The lock refuses: so does every use, at once.
        fixture.lock.fail(with: EnclaveLockError(.openingFailed, "refused"))
        let refused = await code { _ = try await service.sign(keystore: keystore, key: key, message: []) }
        #expect(refused == .keystoreLocked)
    }

    @Test func openedKeysLeaveMemoryWhenTheLockKeysTimeIsOverUsedOrNot() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ED25519").id
        let (service, _) = service(fixture, ttl: .milliseconds(300))
        weak var opened: OpenedKey?
        // A busy machine may take longer than the lifetime between two of these lines.
        for _ in 0..<100 where opened == nil {
            _ = try await service.sign(keystore: keystore, key: key, message: [])
            opened = service.openedKeys.find(KeyAddress(keystore: keystore, key: key))
        }
        for _ in 0..<500 where service.openedKeys.count + service.lockKeys.count > 0 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(service.openedKeys.count == 0)
        #expect(service.lockKeys.count == 0)
        #expect(opened == nil)
        let before = fixture.lock.opened
        _ = try await service.sign(keystore: keystore, key: key, message: [])
        #expect(fixture.lock.opened == before + 1)
    }

    @Test func aKeyInConstantUseIsOpenedAnewWhenItsTimeIsOver() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ED25519").id
        let (service, _) = service(fixture, ttl: .milliseconds(100))
        let (before, begin) = (fixture.lock.opened, ContinuousClock.now)
        while fixture.lock.opened < before + 4, ContinuousClock.now < begin + .seconds(30) {
            _ = try await service.sign(keystore: keystore, key: key, message: [])
        }
        // The fourth opening follows three whole lifetimes.
        #expect(fixture.lock.opened == before + 4)
        #expect(ContinuousClock.now - begin >= .milliseconds(300))
    }

    @Test func theCacheIsBoundedAndWhatWasEvictedStillWorks() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let keys = try await (0..<20).asyncMap { _ in
            try await fixture.service.createKey(keystore: keystore, type: "ED25519").id
        }
        let (service, _) = service(fixture, ttl: .seconds(600), keys: 4)
        for _ in 0..<3 {
            for key in keys { _ = try await service.sign(keystore: keystore, key: key, message: []) }
        }
        #expect(service.openedKeys.count == 4)
    }

    @Test func moreKeysThanLockedMemoryHoldsAllWorkTheCacheGivesWay() async throws {
        await #expect(processExitsWith: .success) {
            // The smallest heap holds a few hundred private keys, far fewer than the cache would.
            try LibCrypto.prepare(secureHeap: 65_536)
            let fixture = try Fixture()
            let keystore = try await fixture.keystore()
            var keys: [String] = []
            for _ in 0..<600 {
                let key = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP521DER").id
                _ = try await fixture.service.sign(keystore: keystore, key: key, message: [])
                keys.append(key)
            }
            let kept = fixture.service.openedKeys.count
            #expect(kept > 0 && kept < 600)
            for key in keys { _ = try await fixture.service.sign(keystore: keystore, key: key, message: []) }
        }
    }

    @Test func anAbsentKeyIsLookedUpAgainEachTime() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        #expect(
            await code { _ = try await fixture.service.sign(keystore: keystore, key: "k", message: []) } == .notFound)
        _ = try await fixture.service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "k")
        _ = try await fixture.service.sign(keystore: keystore, key: "k", message: [])
    }
}
