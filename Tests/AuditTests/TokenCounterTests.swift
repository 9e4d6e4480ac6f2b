import Foundation
import GRDB
import HSMBridge
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import Audit

/// What the token counted is signed into the chain, so that a token whose own state was put back is noticed.
@Suite(.timeLimit(.minutes(10))) struct TokenCounterTests {
    /// A token whose memory is the test's: as if it had been put back, written or removed by somebody.
    private final class Device: AuditNotary.Backend {
        let token: PKCS11Token
        let kept = Mutex(KeptValue(value: nil, counter: 0))
        let failure = Mutex<HSMError?>(nil)

        init(_ token: PKCS11Token) { self.token = token }

        func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription {
            try await token.publicKey(of: role)
        }

        func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8] {
            try await token.sign(message, with: role)
        }

        func keptValue(_ name: String) async throws(HSMError) -> KeptValue {
            if let failure = failure.withLock({ $0 }) { throw failure }
            return kept.withLock { $0 }
        }

        func keep(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64 {
            if let failure = failure.withLock({ $0 }) { throw failure }
            return try await keepAnew(value, as: name)
        }

        func keepAnew(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64 {
            failure.withLock { $0 = nil }
            return kept.withLock { kept in
                kept = KeptValue(value: value, counter: kept.counter + 1)
                return kept.counter
            }
        }
    }

    private func open(
        _ fixture: ChainFixture, _ device: Device, _ schedule: AuditNotary.Schedule = .init(),
        store: WatchedStore? = nil
    ) throws -> (AuditChain, AuditNotary) {
        let manifest = try #require(device.token.manifest)
        let fingerprint = try #require(manifest[.audit]?.fingerprint)
        let chain = try fixture.open(key: fingerprint, store: store)
        return (
            chain,
            AuditNotary(
                chain: chain, token: device, serial: manifest.token.serial, fingerprint: fingerprint, schedule: schedule
            )
        )
    }

    @Test func everyCountIsSigned() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let (fixture, device) = (try ChainFixture(), Device(token))
        let (chain, notary) = try open(fixture, device)
        #expect(await notary.work())
        #expect(try chain.lastCheckpoint()?.counter == 1)
        let ledger = RevocationLedger(chain: chain, notary: notary)
        _ = try await ledger.revoke("a", event: ChainFixture.event("revoke"))
        #expect(device.kept.withLock { $0.counter } == 2)
        #expect(await notary.work())
        #expect(try chain.lastCheckpoint()?.counter == 2)
        _ = try await chain.record(ChainFixture.event())
        await notary.finish()
        #expect(try chain.lastCheckpoint()?.counter == 3)
        #expect(try chain.lastCheckpoint()?.position == chain.head.position)
        await chain.close()
        let report = try AuditReader(path: fixture.path).verify()
        #expect(report.finding == nil && report.tokenCounter == 3)
        await token.shutdown()
    }

    @Test func aTokenThatCountedLessIsRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let (fixture, device) = (try ChainFixture(), Device(token))
        var (chain, notary) = try open(fixture, device)
        _ = await notary.work()
        let older = device.kept.withLock { $0 }
        _ = try await chain.record(ChainFixture.event())
        await notary.finish()
        await chain.close()
        let newer = device.kept.withLock { $0 }
        for forged in [older, KeptValue(value: nil, counter: 0), KeptValue(value: newer.value, counter: 1)] {
            device.kept.withLock { $0 = forged }
            (chain, notary) = try open(fixture, device)
            _ = await notary.work()
            guard case .refused(let reason) = chain.standing else {
                Issue.record("\(forged) is believed")
                continue
            }
            #expect(reason.contains("older copy") && reason.contains("stands at \(forged.counter)"))
            #expect(reason.contains("at 2 when") && reason.contains("kmsd audit adopt"))
            #expect(chain.problem?.code == .untrusted)
            // Nothing is kept or signed meanwhile: the token's state stays what it is.
            await notary.finish()
            #expect(device.kept.withLock { $0 } == forged)
            await chain.close()
        }
        // An operator goes on; that the counter is lower from here on is told by the record of it.
        (chain, notary) = try open(fixture, device)
        _ = await notary.work()
        try await notary.adopt(by: "uid:1")
        await notary.finish()
        #expect(chain.problem == nil)
        await chain.close()
        (chain, notary) = try open(fixture, device)
        _ = await notary.work()
        #expect(chain.problem == nil)
        await chain.close()
        #expect(try AuditReader(path: fixture.path).verify().finding == nil)
        await token.shutdown()
    }

    @Test func aCounterThatWentBackIsNamed() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let (fixture, device) = (try ChainFixture(), Device(token))
        var (chain, notary) = try open(fixture, device)
        _ = await notary.work()
        await notary.finish()
        await chain.close()
        device.kept.withLock { $0.counter = 8 }
        (chain, notary) = try open(fixture, device)
        _ = await notary.work()
        await notary.finish()
        var last = try #require(try chain.lastCheckpoint())
        await chain.close()
        var report = try AuditReader(path: fixture.path).verify()
        #expect(report.finding == nil && report.tokenCounter == 9)
        report.expect(tokenCounter: 9)
        #expect(report.finding == nil)
        report.expect(tokenCounter: 8)
        #expect(report.finding?.code == .olderToken)
        last.counter = 0
        last.signature = try await token.sign(last.encoded, with: .audit)
        try fixture.edit(
            "UPDATE checkpoints SET body = ?, signature = ? WHERE idx = ?",
            [Data(last.encoded), Data(last.signature), Int64(last.position.index)])
        let finding = try AuditReader(path: fixture.path).verify().finding
        #expect(finding?.code == .checkpoint && finding?.index == last.position.index)
        await token.shutdown()
    }

    @Test func whatSomebodyElseWroteIsRefusedAtOnce() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let (fixture, device) = (try ChainFixture(), Device(token))
        let forged = HSMError(.keptValueMismatch, "The memory was put back.")
        var (chain, notary) = try open(fixture, device)
        device.failure.withLock { $0 = forged }
        _ = await notary.work()
        #expect(chain.problem?.message.contains("put back") == true)
        try await notary.adopt(by: "uid:1")
        #expect(chain.problem == nil)
        // Also under a running daemon, with the next keeping.
        device.failure.withLock { $0 = forged }
        _ = try await chain.record(ChainFixture.event())
        await notary.finish()
        #expect(chain.problem?.code == .untrusted)
        await chain.close()
        // A device that is merely away is another matter.
        device.failure.withLock { $0 = HSMError(.tokenUnavailable, "away") }
        (chain, notary) = try open(fixture, device)
        #expect(await !notary.work())
        if case .unchecked = chain.standing {} else { Issue.record("an absent token was judged") }
        await chain.close()
        await token.shutdown()
    }

    @Test func aHigherEpochOfTheDatabaseIsToldSoon() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let device = Device(token)
        let epoch = Mutex<UInt64>(0)
        var schedule = AuditNotary.Schedule()
        schedule.storeEpoch = .seconds(2)
        let (chain, notary) = try open(
            try ChainFixture(), device, schedule, store: WatchedStore(path: "db") { epoch.withLock { $0 } })
        _ = await notary.work()
        _ = try await chain.record(ChainFixture.event())
        try await Task.sleep(for: .milliseconds(2_100))
        _ = await notary.work()
        #expect(device.kept.withLock { $0.counter } == 1, "a use alone is not told")
        epoch.withLock { $0 = 1 }
        _ = try await chain.record(ChainFixture.event("disable"))
        let told = ContinuousClock.now
        _ = await notary.work()
        #expect(device.kept.withLock { $0.counter } == 2)
        epoch.withLock { $0 = 2 }
        _ = try await chain.record(ChainFixture.event("disable"))
        _ = await notary.work()
        // On a machine so busy that the interval is over by now, it may be told again.
        let isEarly = ContinuousClock.now - told < .seconds(2)
        #expect(
            device.kept.withLock { $0.counter } == 2 || !isEarly,
            "and not more often than the token's memory bears")
        await chain.close()
        await token.shutdown()
    }
}
