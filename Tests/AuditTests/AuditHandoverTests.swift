import Foundation
import GRDB
import HSMBridge
import TestTokens
import Testing
import Token

@testable import Audit

/// A chain goes over from one token's audit key to another's by a record that both have signed.
@Suite("Handover of the audit chain", .timeLimit(.minutes(10))) struct AuditHandoverTests {
    private struct Parts {
        let chain: AuditChain
        let notary: AuditNotary

        init(_ fixture: ChainFixture, _ token: PKCS11Token) async throws {
            let manifest = try #require(token.manifest)
            let fingerprint = try #require(manifest[.audit]?.fingerprint)
            chain = try fixture.open(key: fingerprint)
            notary = AuditNotary(chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
            #expect(await notary.work())
            if case .trusted = chain.standing {} else { Issue.record("the chain is not trusted: \(chain.standing)") }
        }

        func record(_ count: Int) async throws {
            for _ in 0..<count { _ = try await chain.record(ChainFixture.event()) }
        }

        func handOver(to token: PKCS11Token) async throws {
            try await notary.handOver(
                to: token, manifest: try #require(token.manifest), transcript: String(repeating: "a", count: 64),
                by: "uid:1")
        }

        func close() async {
            await notary.finish()
            await chain.close()
        }
    }

    private func fingerprint(_ token: PKCS11Token) throws -> String {
        try #require(token.manifest?[.audit]?.fingerprint)
    }

    private func verify(_ fixture: ChainFixture, by key: String?) throws -> AuditReport {
        try AuditReader(path: fixture.path).verify(fingerprint: key)
    }

    @Test("the other token goes on with the chain, whose past both keys vouch for, and the first one does not")
    func goesOver() async throws {
        let (first, second) = (
            try await SoftHSMToken.make().provisioned(), try await SoftHSMToken.make().provisioned()
        )
        let fixture = try ChainFixture()
        var parts = try await Parts(fixture, first)
        try await parts.record(5)
        // So the first token has counted further than the second one will have.
        for _ in 0..<3 {
            await parts.close()
            parts = try await Parts(fixture, first)
        }
        try await parts.handOver(to: second)
        let end = parts.chain.head
        await parts.close()
        #expect(try AuditReader(path: fixture.path).pinnedKey() == fingerprint(second))
        await #expect(throws: AuditError.self) { _ = try await Parts(fixture, first) }

        for _ in 0..<2 {
            parts = try await Parts(fixture, second)
            try await parts.record(3)
            await parts.close()
        }
        for key in [nil, try fingerprint(first), try fingerprint(second)] {
            let report = try verify(fixture, by: key)
            #expect(report.finding == nil, "\(String(describing: report.finding))")
            #expect(report.handovers.map(\.index) == [end.position.index])
            #expect(try report.keyFingerprint == fingerprint(second))
        }
        #expect(try verify(fixture, by: String(repeating: "0", count: 64)).finding?.code == .otherKey)
        // Back again, and into an archive.
        parts = try await Parts(fixture, second)
        try await parts.handOver(to: first)
        await parts.close()
        parts = try await Parts(fixture, first)
        try await parts.record(2)
        _ = try await AuditRotation(chain: parts.chain, notary: parts.notary).run(by: "uid:1")
        try await parts.record(2)
        await parts.close()
        let report = try verify(fixture, by: try fingerprint(second))
        #expect(report.finding == nil, "\(String(describing: report.finding))")
        #expect(report.handovers.count == 2 && report.archives.count == 1)
        await first.shutdown()
        await second.shutdown()
    }

    @Test("without the first key's checkpoint nothing was handed over") func needsTheCheckpoint() async throws {
        let (first, second) = (
            try await SoftHSMToken.make().provisioned(), try await SoftHSMToken.make().provisioned()
        )
        let fixture = try ChainFixture()
        var parts = try await Parts(fixture, first)
        try await parts.record(2)
        try await parts.notary.checkpoint()
        try await parts.handOver(to: second)
        let index = parts.chain.head.position.index
        await parts.chain.close()
        let copy = try fixture.copy()
        try fixture.edit("DELETE FROM checkpoints WHERE idx = ?", [Int64(index)])
        await #expect(throws: AuditError.self) { _ = try await Parts(fixture, second) }
        // As after a kill between the record and its checkpoint: the first one goes on, and may hand over anew.
        parts = try await Parts(fixture, first)
        try await parts.record(1)
        #expect(try verify(fixture, by: nil).handovers.isEmpty)
        try await parts.handOver(to: second)
        await parts.close()
        let report = try verify(fixture, by: nil)
        #expect(report.finding == nil && report.handovers.count == 1)
        // One signed by another key hands nothing over either.
        try copy.edit("UPDATE checkpoints SET signature = zeroblob(64) WHERE idx = ?", [Int64(index)])
        await #expect(throws: AuditError.self) { _ = try await Parts(copy, second) }
        #expect(try verify(copy, by: nil).finding?.code == .checkpoint)
        await first.shutdown()
        await second.shutdown()
    }

    @Test("the words of a handover hold for one place, one key and one successor") func wordsHoldOnce() async throws {
        let (first, second) = (
            try await SoftHSMToken.make().provisioned(), try await SoftHSMToken.make().provisioned()
        )
        let fixture = try ChainFixture()
        let parts = try await Parts(fixture, first)
        try await parts.handOver(to: second)
        await parts.close()
        let record = try #require(try fixture.records().last)
        let pinned = try fingerprint(first)
        #expect(AuditHandover(record, pinned: pinned) != nil)
        #expect(AuditHandover(record, pinned: try fingerprint(second)) == nil)
        var moved = record
        moved.previous[0] ^= 1
        #expect(AuditHandover(moved, pinned: pinned) == nil)
        for name in record.event.details.keys {
            var changed = record
            let value = record.event.details[name] ?? ""
            changed.event.details[name] = String(value.dropLast()) + (value.last == "1" ? "2" : "1")
            #expect(AuditHandover(changed, pinned: pinned) == nil, "'\(name)' was changed")
        }
        await first.shutdown()
        await second.shutdown()
    }
}
