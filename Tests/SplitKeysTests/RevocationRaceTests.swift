import Synchronization
import TestSupport
import Testing

@testable import SplitKeys

@Suite(.timeLimit(.minutes(10))) struct RevocationRaceTests {
    private final class Observed: Sendable {
        let isRevoked = Atomic(false)
        let late = Atomic(0)
        let signed = Atomic(0)
        let order = Mutex<[String]>([])
    }

    @Test func noSignatureAfterTheRevocationsAnswer() async throws {
        let fixture = try SplitFixture()
        fixture.anchors.delay(.milliseconds(2))
        let caller = try fixture.caller()
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
        let observed = Observed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<200 {
                        let result = await code { _ = try await fixture.authority.cosign(OfficialKey.message()) }
                        if result != nil { return }
                        observed.signed.add(1, ordering: .relaxed)
                        if observed.isRevoked.load(ordering: .sequentiallyConsistent) {
                            observed.late.add(1, ordering: .relaxed)
                        }
                    }
                }
            }
            group.addTask {
                try await eventually("a signature is made") { observed.signed.load(ordering: .relaxed) > 0 }
                try await fixture.authority.revoke(
                    client: OfficialKey.clientID, peerKey: OfficialKey.bytes(OfficialKey.peerKey), caller: caller)
                observed.isRevoked.store(true, ordering: .sequentiallyConsistent)
            }
            try await group.waitForAll()
        }
        #expect(observed.signed.load(ordering: .relaxed) > 0)
        #expect(observed.late.load(ordering: .relaxed) == 0)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .revoked)
    }

    @Test func aChangeWaitsForSignersAndTheyForIt() async throws {
        let gate = SigningBarrier()
        let observed = Observed()
        await gate.enter("key")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await gate.beginChange("key", revoking: true)
                observed.order.withLock { $0.append("change") }
                gate.endChange("key")
            }
            try await eventually("the change has begun") { gate.isRevoking("key") }
            group.addTask {
                await gate.enter("key")
                observed.order.withLock { $0.append("signer") }
                gate.leave("key")
            }
            observed.order.withLock { $0.append("first") }
            gate.leave("key")
            try await group.waitForAll()
        }
        #expect(observed.order.withLock { $0 } == ["first", "change", "signer"])
        #expect(!gate.isRevoking("key"))
    }

    /// A deletion takes the other role's part first. What is asked between the two is nobody's mistake.
    @Test func aKeyOfAWalletThatIsBeingDeletedIsAConflict() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        try await fixture.authority.delete(client: wallet.clientID, caller: caller)
        do throws(SplitKeyError) {
            _ = try await fixture.vault.createKey(
                client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
            Issue.record("a key was made")
        } catch {
            #expect(error.code == .conflict && error.message.contains("being deleted"))
        }
        #expect(try await fixture.vault.keys(client: wallet.clientID, caller: caller).isEmpty)
        #expect(await code { try await fixture.vault.delete(client: wallet.clientID, caller: caller) } == nil)
        #expect(
            await code {
                _ = try await fixture.vault.createKey(
                    client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
            } == .notFound)
    }
}
