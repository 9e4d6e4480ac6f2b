import Foundation
import Testing

@testable import Keystores

@Suite("Disabling and destroying", .timeLimit(.minutes(10))) struct LifeTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    /// Every use of a signing key, with the code each fails with.
    private func uses(_ keystore: String, _ key: String, _ service: KeystoreService) async -> [KMSError.Code?] {
        [
            await code { _ = try await service.sign(keystore: keystore, key: key, message: []) },
            await code { try await service.verify(keystore: keystore, key: key, signature: [], message: []) },
            await code { _ = try await service.exportKey(keystore: keystore, key: key) },
            await code { _ = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519") },
            await code { _ = try await service.encrypt(keystore: keystore, key: key, message: [], associatedData: []) },
            await code { _ = try await service.computeMAC(keystore: keystore, key: key, data: []) },
        ]
    }

    @Test func aDisabledKeyRefusesEveryUseAndIsStillListedEnablingAllowsItAgain() async throws {
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = try await service.sign(keystore: keystore, key: key, message: [])
        #expect(try await service.disableKey(keystore: keystore, key: key).state == .disabled)
        #expect(try await service.disableKey(keystore: keystore, key: key).state == .disabled)
        for service in [service, fixture.restarted()] {
            #expect(await uses(keystore, key, service).allSatisfy { $0 == .keyDisabled })
            #expect(try await service.keys(keystore: keystore, after: nil, limit: 9).items.map(\.state) == [.disabled])
            #expect(try await service.key(keystore: keystore, key: key).publicKey != nil)
        }
        #expect(try await service.enableKey(keystore: keystore, key: key).state == .enabled)
        #expect(try await service.enableKey(keystore: keystore, key: key).state == .enabled)
        _ = try await service.sign(keystore: keystore, key: key, message: [])
    }

    @Test func aKeyPendingDestructionRefusesEveryUseCanBeRestoredAndIsThenDisabled()
        async throws
    {
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        #expect(
            await code { _ = try await service.cancelDestruction(keystore: keystore, key: key) } == .invalidArgument)
        let pending = try await service.destroyKey(keystore: keystore, key: key, grace: nil)
        #expect(pending.state == .pendingDestruction)
        let wait = try #require(pending.destroyAt).timeIntervalSinceNow
        #expect(abs(wait - 24 * 3600) < 60)
        #expect(await uses(keystore, key, service).allSatisfy { $0 == .keyDisabled })
        #expect(await code { _ = try await service.enableKey(keystore: keystore, key: key) } == .keyDisabled)
        #expect(await code { _ = try await service.disableKey(keystore: keystore, key: key) } == .keyDisabled)
        #expect(try await service.sweep() == 0)
        let restored = try await service.cancelDestruction(keystore: keystore, key: key)
        #expect(restored.state == .disabled && restored.destroyAt == nil)
        _ = try await service.enableKey(keystore: keystore, key: key)
        _ = try await service.sign(keystore: keystore, key: key, message: [])
    }

    @Test func aSecondCallOnlyBringsTheDestructionForward() async throws {
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let first = try await service.destroyKey(keystore: keystore, key: key, grace: .seconds(100))
        let later = try await service.destroyKey(keystore: keystore, key: key, grace: .seconds(1000))
        #expect(later.destroyAt == first.destroyAt)
        let sooner = try await service.destroyKey(keystore: keystore, key: key, grace: .seconds(10))
        #expect(try #require(sooner.destroyAt) < (try #require(first.destroyAt)))
        for grace in [Duration.seconds(-1), .seconds(366 * 24 * 3600)] {
            let refused = await code { _ = try await service.destroyKey(keystore: keystore, key: key, grace: grace) }
            #expect(refused == .invalidArgument)
        }
    }

    @Test func theSweepDestroysWhatIsOverdueLeavesATombstoneAndTheIdStaysTaken() async throws {
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let doomed = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "doomed")
        let kept = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = try await service.destroyKey(keystore: keystore, key: doomed, grace: .seconds(60))
        #expect(try await service.sweep() == 0)
        fixture.advance(seconds: 61)
        // Its time has come, so it can no longer be saved even before the sweep.
        #expect(await code { _ = try await service.cancelDestruction(keystore: keystore, key: doomed) } == .keyDisabled)
        #expect(try await service.sweep() == 1)
        #expect(try await service.sweep() == 0)
        let tombstone = try await service.key(keystore: keystore, key: doomed)
        #expect(tombstone.state == .destroyed)
        #expect(tombstone.versions.isEmpty && tombstone.publicKey == nil)
        #expect(await uses(keystore, doomed, service).allSatisfy { $0 == .keyDisabled })
        for change in [service.enableKey, service.disableKey, service.cancelDestruction] {
            #expect(await code { _ = try await change(keystore, doomed, .nobody) } == .keyDisabled)
        }
        let again = await code {
            _ = try await service.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: doomed)
        }
        #expect(again == .alreadyExists)
        _ = try await service.sign(keystore: keystore, key: kept, message: [])
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 9).items.count == 2)
    }

    @Test func destroyedAndRotatedAwayEnvelopesAreInNoneOfTheFiles() async throws {
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let rotated = try await service.createKey(keystore: keystore, type: "AES256GCM").id
        let envelopes = try await [key, rotated].asyncMap {
            try #require(try await fixture.store.key(keystore: keystore, id: $0)).versions[0].sealed
        }
        // The salt, nonce and commitment of an envelope are unique.
        let marks = envelopes.map { Data($0[6..<82]) }
        #expect(try marks.allSatisfy { try isStored($0) })
        #expect(
            try await service.destroyKey(keystore: keystore, key: key, grace: .zero).state == .destroyed)
        _ = try await service.rotateKey(keystore: keystore, key: rotated, type: "AES256GCM")
        #expect(try marks.allSatisfy { try !isStored($0) })
    }

    private func isStored(_ mark: Data) throws -> Bool {
        try ["", "-wal"].contains { suffix in
            let path = fixture.folder.database + suffix
            guard FileManager.default.fileExists(atPath: path) else { return false }
            return try Data(contentsOf: URL(fileURLWithPath: path)).range(of: mark) != nil
        }
    }
}

extension Sequence {
    func asyncMap<R>(_ transform: (Element) async throws -> R) async rethrows -> [R] {
        var results: [R] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
