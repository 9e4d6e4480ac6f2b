import Foundation
import HSMBridge
import TestSupport
import TestTokens
import Testing
import Token

@testable import Audit

/// The token vouches for the chain, and remembers where it ended.
@Suite(.timeLimit(.minutes(10))) struct AuditNotaryTests {
    private struct Notarised {
        let chain: AuditChain
        let notary: AuditNotary

        init(_ fixture: ChainFixture, _ token: PKCS11Token) throws {
            let manifest = try #require(token.manifest)
            let fingerprint = try #require(manifest[.audit]?.fingerprint)
            chain = try fixture.open(key: fingerprint)
            notary = AuditNotary(chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
        }

        func close() async {
            await notary.finish()
            await chain.close()
        }
    }

    private func copy(_ fixture: ChainFixture, to folder: URL) throws {
        for name in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: fixture.path + name) {
            try FileManager.default.copyItem(
                atPath: fixture.path + name, toPath: folder.path + "/audit.db" + name)
        }
    }

    private func restore(_ folder: URL, to fixture: ChainFixture) throws {
        for name in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: fixture.path + name) }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            try FileManager.default.copyItem(
                atPath: folder.path + "/" + name,
                toPath: URL(fileURLWithPath: fixture.path).deletingLastPathComponent().path + "/" + name)
        }
    }

    private func problem(_ chain: AuditChain) async -> AuditError? {
        do throws(AuditError) {
            _ = try await chain.record(ChainFixture.event())
            return nil
        } catch {
            return error
        }
    }

    @Test func nothingIsAllowedBeforeTheTokenWasAsked() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let parts = try Notarised(try ChainFixture(), token)
        #expect(await problem(parts.chain)?.code == .untrusted)
        await #expect(throws: AuditError.self) { try await parts.chain.post(ChainFixture.event()) }
        _ = try await parts.chain.record(ChainFixture.event(outcome: .refused))
        #expect(await parts.notary.work())
        #expect(parts.chain.problem == nil)
        #expect(await problem(parts.chain) == nil)
        await parts.close()
        await token.shutdown()
    }

    @Test func checkpointsAreSignedByTheAuditKey() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try ChainFixture()
        let parts = try Notarised(fixture, token)
        _ = await parts.notary.work()
        _ = try await parts.chain.record(ChainFixture.event())
        try await parts.notary.checkpoint()
        await parts.close()
        let again = try Notarised(fixture, token)
        #expect(try again.chain.lastCheckpoint()?.position.index == 2)
        await again.close()
        try fixture.edit("UPDATE checkpoints SET signature = zeroblob(64) WHERE idx = 2")
        #expect { try Notarised(fixture, token) } throws: { ($0 as? AuditError)?.code == .damaged }
        await token.shutdown()
    }

    @Test func anOlderCopyOfTheChainIsRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try ChainFixture()
        var parts = try Notarised(fixture, token)
        _ = await parts.notary.work()
        await parts.close()
        let backup = try ScratchDirectory.make("backup")
        try copy(fixture, to: backup)

        parts = try Notarised(fixture, token)
        _ = await parts.notary.work()
        let ledger = RevocationLedger(chain: parts.chain, notary: parts.notary)
        _ = try await ledger.revoke("split:a:1", event: ChainFixture.event("revoke"))
        // As after `kill -9`: no last checkpoint.
        await parts.chain.close()

        try restore(backup, to: fixture)
        parts = try Notarised(fixture, token)
        _ = await parts.notary.work()
        let found = await problem(parts.chain)
        #expect(found?.code == .untrusted)
        #expect(found?.message.contains("older copy") == true)
        #expect(parts.chain.problem?.code == .untrusted)
        // Refusals are still recorded, and the fork that they make stays one.
        for _ in 0..<5 { _ = try await parts.chain.record(ChainFixture.event(outcome: .refused)) }
        await parts.close()
        parts = try Notarised(fixture, token)
        _ = await parts.notary.work()
        #expect(await problem(parts.chain)?.code == .untrusted)
        try await parts.notary.adopt(by: "uid:1")
        #expect(await problem(parts.chain) == nil)
        await parts.close()
        await token.shutdown()
    }

    @Test func anotherChainIsRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let first = try Notarised(try ChainFixture(), token)
        _ = await first.notary.work()
        await first.close()
        let second = try Notarised(try ChainFixture(), token)
        for _ in 0..<10 { _ = try await second.chain.record(ChainFixture.event(outcome: .refused)) }
        _ = await second.notary.work()
        #expect(await problem(second.chain)?.message.contains("another one") == true)
        await second.close()
        await token.shutdown()
    }

    @Test func aChainThatPinsNoKeyIsComparedLikeAnyOther() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let manifest = try #require(token.manifest)
        func unsigned(_ fixture: ChainFixture) throws -> (AuditChain, AuditNotary) {
            let chain = try fixture.open(isCompared: true)
            let fingerprint = try #require(manifest[.audit]?.fingerprint)
            return (
                chain, AuditNotary(chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
            )
        }
        // Of a token that remembers nothing, it is what it was before the token came.
        let fixture = try ChainFixture()
        let older = try fixture.open()
        _ = try await older.record(ChainFixture.event())
        await older.close()
        var (chain, notary) = try unsigned(fixture)
        #expect(await problem(chain)?.code == .untrusted)
        #expect(await notary.work())
        #expect(await problem(chain) == nil)
        let result = try await AuditRotation(chain: chain, notary: notary).run(by: "uid:1")
        await notary.finish()
        #expect(try chain.lastCheckpoint() == nil)
        await chain.close()
        #expect(result.firstRecord == 1)
        // It goes on, remembered; another one in its place is refused.
        (chain, notary) = try unsigned(fixture)
        #expect(await notary.work())
        #expect(await problem(chain) == nil)
        await notary.finish()
        let last = chain.head.position.index
        await chain.close()
        (chain, notary) = try unsigned(try ChainFixture())
        for _ in 0..<(last + 5) { _ = try await chain.record(ChainFixture.event(outcome: .refused)) }
        #expect(await notary.work())
        #expect(await problem(chain)?.message.contains("another one") == true)
        await chain.close()
        await token.shutdown()
    }

    @Test func aTokenThatIsAwayDelaysAndLosesNothing() async throws {
        let faults = FaultPlan()
        let token = try await SoftHSMToken.make().provisioned(faults: faults)
        let fixture = try ChainFixture()
        let parts = try Notarised(fixture, token)
        #expect(await parts.notary.work())
        let ledger = RevocationLedger(chain: parts.chain, notary: parts.notary)
        faults.fail("C_CreateObject", .first(2), with: ReturnValue(rawValue: 0x30))
        _ = try await ledger.revoke("a", event: ChainFixture.event("revoke"))
        #expect(try ledger.isRevoked("a"))
        let late = await parts.notary.problem != nil
        #expect(late)
        try await eventually("the token remembers the head") { await parts.notary.work() }
        #expect(await parts.notary.problem == nil)
        let kept = try #require(try await token.keptValue(AuditNotary.name).value)
        #expect(AuditHead(encoded: kept)?.epoch == 1)
        await parts.close()
        await token.shutdown()
    }

    @Test func revocationsThatComeTogetherShareAWrite() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let parts = try Notarised(try ChainFixture(), token)
        _ = await parts.notary.work()
        let ledger = RevocationLedger(chain: parts.chain, notary: parts.notary)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<64 {
                group.addTask { _ = try await ledger.revoke("k\(index)", event: ChainFixture.event("revoke")) }
            }
            try await group.waitForAll()
        }
        let kept = try #require(try await token.keptValue(AuditNotary.name).value)
        #expect(AuditHead(encoded: kept)?.epoch == 64)
        await parts.close()
        await token.shutdown()
    }

    @Test func aChainOfAnotherTokenIsRefused() async throws {
        let fixture = try ChainFixture()
        let first = try await SoftHSMToken.make().provisioned()
        await (try Notarised(fixture, first)).close()
        let second = try await SoftHSMToken.make().provisioned()
        #expect { try Notarised(fixture, second) } throws: {
            ($0 as? AuditError)?.message.contains("own token") == true
        }
        await first.shutdown()
        await second.shutdown()
    }
}
