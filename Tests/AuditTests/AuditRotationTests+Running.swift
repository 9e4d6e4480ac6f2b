import Foundation
import GRDB
import HSMBridge
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import Audit

extension AuditRotationTests {
    @Test func anotherChainsArchiveIsNotReplaced() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try ChainFixture()
        let parts = try await Parts(fixture, token)
        try await parts.record(3)
        let directory = AuditPart.directory(ofChain: fixture.path)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let file = directory + "/" + AuditPart.name(first: 1)
        try Data("somebody's".utf8).write(to: URL(fileURLWithPath: file))
        await #expect(throws: AuditError.self) { try await parts.rotate() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data("somebody's".utf8))
        try FileManager.default.removeItem(atPath: file)
        #expect(try await parts.rotate().isResumed)
        await parts.close()
        #expect(try parts.verify().finding == nil)
        await token.shutdown()
    }

    @Test func recordsAndRevocationsGoOnWhileAPartIsClosed() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let parts = try await Parts(try ChainFixture(), token)
        try await parts.record(2_000)
        let work = Task { () -> Int in
            var count = 0
            while !Task.isCancelled, count < 200 {
                _ = try await parts.ledger.revoke("split:\(count)", event: ChainFixture.event("revoke"))
                count += 1
            }
            return count
        }
        _ = try await parts.rotate()
        let revoked = try await work.value
        for number in 0..<revoked { #expect(try parts.ledger.isRevoked("split:\(number)")) }
        _ = try await parts.rotate()
        await parts.close()
        let report = try parts.verify()
        #expect(report.finding == nil, "\(String(describing: report.finding))")
        #expect(report.head?.epoch == UInt64(revoked))
        await token.shutdown()
    }

    @Test func aChainWithoutATokenIsRotatedUnsigned() async throws {
        let fixture = try ChainFixture()
        var chain = try fixture.open()
        for number in 0..<20 { _ = try await chain.record(ChainFixture.event("op\(number)")) }
        let result = try await AuditRotation(chain: chain, notary: nil).run(by: "uid:1")
        try await AuditRotation(chain: chain, notary: nil).compact()
        await chain.close()
        #expect(try AuditReader(path: result.archive).verify(earlier: .none).records == result.lastRecord)
        chain = try fixture.open()
        _ = try await chain.record(ChainFixture.event())
        await chain.close()
        #expect(try AuditReader(path: fixture.path).verify().finding == nil)
    }

    /// A chain that pins no key may run without a token for a while, and be rotated then.
    @Test func aHeadThatIsInAnArchiveIsFoundThere() async throws {
        let fixture = try ChainFixture()
        let token = try await SoftHSMToken.make().provisioned()
        let manifest = try #require(token.manifest)
        func meet(_ chain: AuditChain) async -> AuditNotary {
            let notary = AuditNotary(chain: chain, token: token, serial: manifest.token.serial, fingerprint: "")
            _ = await notary.work()
            return notary
        }
        var chain = try fixture.open()
        _ = try await chain.record(ChainFixture.event())
        await meet(chain).finish()
        await chain.close()
        chain = try fixture.open()
        for number in 0..<20 { _ = try await chain.record(ChainFixture.event("op\(number)")) }
        let result = try await AuditRotation(chain: chain, notary: nil).run(by: "uid:1")
        await chain.close()

        chain = try fixture.open()
        _ = await meet(chain)
        #expect(chain.problem == nil)
        await chain.close()
        try FileManager.default.moveItem(atPath: result.archive, toPath: result.archive + ".away")
        chain = try fixture.open()
        _ = await meet(chain)
        #expect(chain.problem == nil, "the token was told a later head")
        await chain.close()
        await token.shutdown()
    }

    @Test func anExportOfEachPartVerifiesAsOne() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let parts = try await Parts(try ChainFixture(), token)
        try await parts.record(5)
        let result = try await parts.rotate()
        try await parts.record(5)
        await parts.close()
        func export(_ path: String) throws -> String {
            var lines = ""
            try AuditReader(path: path).visit { lines += $0.json + "\n" }
            let file = try ScratchDirectory.make("export").path + "/export.jsonl"
            try Data(lines.utf8).write(to: URL(fileURLWithPath: file))
            return file
        }
        let (old, new) = (try export(result.archive), try export(parts.fixture.path))
        let reader = try AuditReader(path: new)
        #expect(try reader.verify(fingerprint: parts.fingerprint).finding?.code == .missing)
        #expect(try reader.verify(fingerprint: parts.fingerprint, earlier: .none).finding == nil)
        let whole = try reader.verify(fingerprint: parts.fingerprint, earlier: .files([old], isPart: false))
        #expect(whole.finding == nil && whole.firstRecord == 1)
        #expect(try reader.archive()?.name == "audit-000000000001.db")
        await token.shutdown()
    }
}
