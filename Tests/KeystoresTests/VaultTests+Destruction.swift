import EnclaveLock
import Foundation
import GRDB
import TestSupport
import Testing
import WorkingKeys

@testable import Keystores

extension VaultTests {
    @Test func aDocumentThatIsGoneIsNotFoundAndOnePutBackServesAgain() async throws {
        let keystore = try await keystore()
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let sound = vaults.documents
        vaults.documents = [:]
        await expect(.notFound) {
            _ = try await restarted().sign(keystore: keystore, key: key, message: Samples.message)
        }
        vaults.documents = sound
        _ = try await restarted().sign(keystore: keystore, key: key, message: Samples.message)
    }

    @Test func aDestroyedKeyStaysDestroyedWhenTheVaultOffersItsDocumentAgain() async throws {
        let keystore = try await keystore()
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let sound = vaults.documents
        _ = try await service.destroyKey(keystore: keystore, key: key, grace: .zero)
        vaults.documents = sound
        await expect(.keyDisabled) {
            _ = try await restarted().sign(keystore: keystore, key: key, message: Samples.message)
        }
    }

    @Test func destructionTakesEffectWhileTheVaultIsAwayAndEndsWhenItIsBack() async throws {
        let keystore = try await keystore()
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = try await service.sign(keystore: keystore, key: key, message: Samples.message)
        vaults.fail(with: MemoryVaults.away)
        await expect(.upstreamFailed) {
            _ = try await service.destroyKey(keystore: keystore, key: key, grace: .zero)
        }
        await expect(.keyDisabled) {
            _ = try await service.sign(keystore: keystore, key: key, message: Samples.message)
        }
        await expect(.keyDisabled) { _ = try await service.cancelDestruction(keystore: keystore, key: key) }
        #expect(try await service.sweep() == 0)
        #expect(vaults.documents.count == 1)
        vaults.fail(with: nil)
        #expect(try await service.sweep() == 1)
        #expect(vaults.documents.isEmpty)
        #expect(try await service.key(keystore: keystore, key: key).state == .destroyed)
    }

    @Test func aVaultInTroubleDoesNotKeepOthersKeysFromBeingDestroyed() async throws {
        let slow = try await keystore()
        let plain = try await fixture.keystore()
        var keys: [String] = []
        for keystore in [slow, plain] {
            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
            _ = try await service.destroyKey(keystore: keystore, key: key, grace: .seconds(1))
            keys.append(key)
        }
        vaults.fail(with: MemoryVaults.away)
        let later = KeystoreService(
            store: fixture.store, locks: KeystoreLocks(server: fixture.lock), resident: nil, vaults: vaults,
            configuration: fixture.configuration, clock: { Date().addingTimeInterval(60) })
        #expect(try await later.sweep() == 1)
        #expect(try await later.key(keystore: plain, key: keys[1]).state == .destroyed)
    }

    @Test func aKeyDisabledWhileItsDocumentIsOnTheWayServesNobodyNorThoseWhoWaitForTheSameDocument() async throws {
        let keystore = try await keystore()
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let restarted = restarted()
        let gate = Gate()
        await gate.close()
        vaults.hold(at: gate)
        let first = Task {
            try await restarted.sign(keystore: keystore, key: key, message: Samples.message)
        }
        await gate.holds()
        #expect(try await restarted.disableKey(keystore: keystore, key: key).state == .disabled)
        await expect(.keyDisabled) {
            _ = try await restarted.sign(keystore: keystore, key: key, message: Samples.message)
        }
        await gate.open()
        let error = await #expect(throws: KMSError.self) { _ = try await first.value }
        #expect(error?.code == .keyDisabled)
    }

    @Test func whatCannotBeAKeystoresVaultIsRefusedBeforeAnythingIsStored() async throws {
        await expect(.mechanismUnsupported) {
            _ = try await fixture.service.createKeystore(
                controller: "c", protection: .sealed, lock: nil, vault: location, capability: { _ in nil })
        }
        let stranger = KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: nil, vaults: MemoryVaults(did: "did:key:z1#z1"),
            configuration: fixture.configuration)
        await expect(.invalidArgument) {
            _ = try await stranger.createKeystore(
                controller: "c", protection: .sealed, lock: nil, vault: location, capability: { _ in nil })
        }
        await expect(.invalidArgument) {
            _ = try await service.createKeystore(
                controller: "c", protection: .sealed, lock: nil, vault: VaultLocation(url: "x", capability: []),
                capability: { _ in nil })
        }
        #expect(try await service.keystores(controller: nil, after: nil, limit: 10).items.isEmpty)
    }

    @Test func theVaultRecordIsAuthenticatedAndBelongsToItsKeystore() async throws {
        let first = try await keystore()
        let second = try await keystore()
        let attacker = try fixture.attacker()
        try await attacker.write { db in
            try db.execute(
                sql: "UPDATE keystores SET vault = (SELECT vault FROM keystores WHERE id = ?) WHERE id = ?",
                arguments: [second, first])
        }
        await expect(.internal) { _ = try await restarted().createKey(keystore: first, type: "ED25519") }
        try await attacker.write { db in
            try db.execute(sql: "UPDATE keystores SET vault = NULL WHERE id = ?", arguments: [second])
        }
        await expect(.internal) { _ = try await restarted().createKey(keystore: second, type: "ED25519") }
    }
}
