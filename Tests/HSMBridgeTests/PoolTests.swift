import SecretMemory
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

@Suite(.timeLimit(.minutes(10))) struct PoolTests {
    @Test func thirtyTwoTasksMeetNoError() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<32 {
                group.addTask {
                    for round in 0..<20 {
                        let context: [UInt8] = [UInt8(task), UInt8(round)]
                        let plaintext = SystemRandom.bytes(32)
                        let sealed = try await token.seal(
                            SealingTests.secret(plaintext), under: .rootLock, context: context)
                        let opened = try await token.open(sealed, under: .rootLock, context: context)
                        #expect(SealingTests.bytes(opened) == plaintext)
                        let key = try await token.generateResident(.p256)
                        #expect(try await token.sign(digest: plaintext, with: key).count == 64)
                        await token.forget(key.identifier)
                    }
                }
            }
            try await group.waitForAll()
        }
        await token.shutdown()
    }

    /// Token objects made one after the other, although asked for at once: SoftHSM fails some of concurrent creations.
    @Test func serialisedCreationNeverFails() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    try await token.performSerialised { (session, _) throws(HSMError) in
                        let key = try session.generateKey(
                            .aesKeyGeneration,
                            .secretKey(.aes256Seal, id: SystemRandom.bytes(16), label: "kmsd-test"))
                        try session.destroy(key)
                    }
                }
            }
            try await group.waitForAll()
        }
        await token.shutdown()
    }

    /// Counts sessions, not calls: a C_OpenSession that is refused makes none. That happens whenever another token makes
    /// the module be initialised again while a thread holds no session.
    private final class Sessions: CallObserver {
        let opened = Atomic(0)
        let closed = Atomic(0)

        func didCall(_ function: StaticString, returned value: ReturnValue, duration: Duration) {
            switch "\(function)" {
            case "C_OpenSession" where value == .ok: opened.add(1, ordering: .sequentiallyConsistent)
            case "C_CloseSession": closed.add(1, ordering: .sequentiallyConsistent)
            default: break
            }
        }
    }

    @Test(arguments: [false, true]) func everySessionIsClosed(isDisturbed: Bool) async throws {
        let sessions = Sessions()
        let soft = try SoftHSMToken.make()
        let token = try await soft.provisioned(observer: sessions)
        let user = ObjectIdentifier(sessions)
        let module = try Module.attach(soft.modulePath, user: user)
        let bad = SystemRandom.bytes(100)
        for round in 0..<50 {
            _ = await #expect(throws: HSMError.self) { try await token.open([1] + bad, under: .rootLock, context: [1]) }
            // Between the session that the error cost and the next one.
            if isDisturbed, round % 10 == 0 { try module.reinitialise(patience: .seconds(20)) }
            _ = try await token.sign([1], with: .audit)
        }
        module.detach(user: user)
        await token.shutdown()
        let opened = sessions.opened.load(ordering: .sequentiallyConsistent)
        let closed = sessions.closed.load(ordering: .sequentiallyConsistent)
        #expect(opened >= 50, "each error costs a session")
        #expect(opened == closed)
    }

    @Test func afterShutdownRequestsFail() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        await token.shutdown()
        await token.shutdown()
        let error = await #expect(throws: HSMError.self) { try await token.sign([1], with: .audit) }
        #expect(error?.code == .tokenUnavailable)
        #expect(!token.health.isReady)
    }

    @Test func provisioningTwiceIsRefusedAndSweepingClears() async throws {
        let soft = try SoftHSMToken.make()
        let instance = TokenManifest.makeInstance()
        let first = PKCS11Token(configuration: soft.configuration())
        first.start()
        try await first.waitUntilReady(timeout: .seconds(120))
        let manifest = try await first.provision(instance: instance)
        #expect(Set(manifest.keys.keys) == Set(KeyRole.allCases.map(\.rawValue)))
        #expect(try await first.sweep() == [], "nothing in use is swept")
        await first.shutdown()

        // As after a kill before the manifest was stored.
        let second = PKCS11Token(configuration: soft.configuration())
        second.start()
        try await second.waitUntilReady(timeout: .seconds(120))
        let error = await #expect(throws: HSMError.self) { try await second.provision(instance: instance) }
        #expect(error?.code == .alreadyProvisioned)
        let other = await #expect(throws: HSMError.self) { try await second.sweep() }
        #expect(other?.code == .invalidArgument)
        #expect(try await second.sweep(instance: TokenManifest.makeInstance()) == [])
        let swept = try await second.sweep(instance: instance)
        #expect(swept.count == KeyRole.allCases.count, "public halves are in the manifest")
        let again = try await second.provision(instance: instance)
        #expect(again != manifest)
        await second.shutdown()
    }

    @Test func failedProvisioningLeavesNothing() async throws {
        let soft = try SoftHSMToken.make()
        let faults = FaultPlan()
        let token = PKCS11Token(configuration: soft.configuration(), faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        let instance = TokenManifest.makeInstance()
        faults.fail("C_GenerateKeyPair", with: try #require(ReturnValue(name: "CKR_FUNCTION_FAILED")))
        _ = await #expect(throws: HSMError.self) { try await token.provision(instance: instance) }
        // Three attempts, and three at finding the attribute that the token refuses.
        #expect(faults.calls(of: "C_GenerateKeyPair") == 6)
        faults.clear()
        #expect(try await token.sweep(instance: instance) == [])
        _ = try await token.provision(instance: instance)
        await token.shutdown()
    }
}
