import Synchronization
import TestSupport
import Testing

@testable import Keystores

@Suite("Concurrency", .timeLimit(.minutes(10))) struct ConcurrencyTests {
    /// What the signers may know: set after the answer, read before the call.
    private final class Moments: Sendable {
        let answered = Atomic(false)
        let stop = Atomic(false)
        let signatures = Atomic(0)
        let late = Atomic(0)
    }

    /// Ways to end a key's use.
    enum Ending: CaseIterable { case disable, destroy, destroyAtOnce, rotate }

    @Test(arguments: Ending.allCases, [true, false])
    func afterTheAnswerNoSignatureIsMadeWhile32SignersRun(ending: Ending, cached: Bool) async throws {
        var configuration = KeystoreConfiguration()
        if !cached { configuration.lockKeyTTL = .zero }
        let fixture = try Fixture(configuration: configuration)
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        let moments = Moments()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    while !moments.stop.load(ordering: .acquiring), !Task.isCancelled {
                        let wasAnswered = moments.answered.load(ordering: .sequentiallyConsistent)
                        do {
                            _ = try await service.sign(keystore: keystore, key: key, message: Samples.message)
                            moments.signatures.add(1, ordering: .relaxed)
                            if wasAnswered { moments.late.add(1, ordering: .relaxed) }
                        } catch let error as KMSError {
                            #expect([.keyDisabled, .notFound, .overloaded].contains(error.code))
                        }
                        await Task.yield()
                    }
                }
            }
            try await eventually("200 signatures are made") { moments.signatures.load(ordering: .relaxed) >= 200 }
            switch ending {
            case .disable: _ = try await service.disableKey(keystore: keystore, key: key)
            case .destroy: _ = try await service.destroyKey(keystore: keystore, key: key, grace: nil)
            case .destroyAtOnce: _ = try await service.destroyKey(keystore: keystore, key: key, grace: .zero)
            case .rotate: _ = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519")
            }
            moments.answered.store(true, ordering: .sequentiallyConsistent)
            try await Task.sleep(for: .milliseconds(50))
            moments.stop.store(true, ordering: .releasing)
            try await group.waitForAll()
        }
        #expect(moments.late.load(ordering: .relaxed) == 0)
        #expect(moments.signatures.load(ordering: .relaxed) >= 200)
    }

    @Test func aKeyThatIsSwitchedOnAndOffSignsExactlyWhileItIsOn() async throws {
        let fixture = try Fixture()
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        for _ in 0..<50 {
            _ = try await service.disableKey(keystore: keystore, key: key)
            #expect(
                await code { _ = try await service.sign(keystore: keystore, key: key, message: []) } == .keyDisabled)
            _ = try await service.enableKey(keystore: keystore, key: key)
            _ = try await service.sign(keystore: keystore, key: key, message: [])
        }
    }

    @Test func sixtyFourTasksOfMixedOperationsLeaveAStoreWithoutDamage() async throws {
        let fixture = try Fixture()
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let shared = try await service.createKey(keystore: keystore, type: "AES256GCM").id
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask {
                    for turn in 0..<6 {
                        switch (task + turn) % 6 {
                        case 0:
                            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
                            let signature = try await service.sign(keystore: keystore, key: key, message: [1])
                            try await service.verify(
                                keystore: keystore, key: key, signature: signature, message: [1])
                        case 1:
                            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
                            let old = try await service.sign(keystore: keystore, key: key, message: [2])
                            let new = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519")
                            try await service.verify(keystore: keystore, key: new, signature: old, message: [2])
                        case 2:
                            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
                            _ = try await service.destroyKey(keystore: keystore, key: key, grace: .zero)
                        case 3:
                            let (ciphertext, nonce) = try await service.encrypt(
                                keystore: keystore, key: shared, message: [3], associatedData: [])
                            let plaintext = try await service.decrypt(
                                keystore: keystore, key: shared, ciphertext: ciphertext, associatedData: [],
                                nonce: nonce)
                            #expect(plaintext == [3])
                        case 4: _ = try await service.keys(keystore: keystore, after: nil, limit: 50)
                        default:
                            _ = try await service.importKey(
                                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(),
                                keyID: "imported-\(task)-\(turn)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let states = try await fixture.restarted().keys(keystore: keystore, after: nil, limit: 1000).items.map(\.state)
        #expect(states.count == 257)
        #expect(states.count { $0 == .destroyed } == 64)
        #expect(states.count { $0 == .enabled } == 193)
    }

    @Test func aRotationThatLosesAgainstAnotherChangeIsAConflictToldToItsCaller()
        async throws
    {
        let fixture = try Fixture()
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        var conflicts = 0
        for _ in 0..<200 where conflicts == 0 {
            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
            async let first = code { _ = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519") }
            async let second = code { _ = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519") }
            conflicts += await [first, second].count { $0 == .conflict }
        }
        #expect(conflicts == 1)
        #expect(!KMSError.Code.conflict.isRetryable)
    }

    @Test func ofTwoChangesOfOneKeyAtOnceBothAreToldTheTruth() async throws {
        let fixture = try Fixture()
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        for _ in 0..<20 {
            let key = try await service.createKey(keystore: keystore, type: "ED25519").id
            let outcomes = await withTaskGroup(of: KMSError.Code?.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        await code { _ = try await service.rotateKey(keystore: keystore, key: key, type: "ED25519") }
                    }
                }
                return await group.reduce(into: [KMSError.Code?]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.allSatisfy { [nil, .notFound, .conflict].contains($0) })
        }
    }
}
