import Foundation
import GRDB
import HSMBridge
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import Audit

/// A chain that was closed into archives is one chain, and tells what it told.
@Suite(.timeLimit(.minutes(10))) struct AuditRotationTests {
    private struct Interrupted: Error {}

    struct Parts {
        let fixture: ChainFixture
        let fingerprint: String
        let chain: AuditChain
        let notary: AuditNotary
        let ledger: RevocationLedger

        init(_ fixture: ChainFixture, _ token: PKCS11Token, faults: AuditFaults = .none) async throws {
            self.fixture = fixture
            let manifest = try #require(token.manifest)
            fingerprint = try #require(manifest[.audit]?.fingerprint)
            chain = try fixture.open(key: fingerprint, faults: faults)
            notary = AuditNotary(chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
            ledger = RevocationLedger(chain: chain, notary: notary)
            #expect(await notary.work())
        }

        func record(_ count: Int) async throws {
            for number in 0..<count { _ = try await chain.record(ChainFixture.event("op\(number)")) }
        }

        func rotate() async throws -> AuditRotation.Result {
            try await AuditRotation(chain: chain, notary: notary).run(by: "uid:1")
        }

        func close() async {
            await notary.finish()
            await chain.close()
        }

        func verify(_ earlier: AuditReader.Earlier = .found, expected: [AuditHead] = []) throws -> AuditReport {
            try AuditReader(path: fixture.path).verify(
                fingerprint: fingerprint, expected: expected, earlier: earlier)
        }
    }

    @Test func archivesAndChainAreOne() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try ChainFixture()
        var parts = try await Parts(fixture, token)
        _ = try await parts.ledger.revoke("split:a", event: ChainFixture.event("revoke"))
        try await parts.record(10)
        let before = parts.chain.head
        let first = try await parts.rotate()
        #expect(first.firstRecord == 1 && first.lastRecord == before.position.index + 1 && !first.isResumed)
        #expect(parts.chain.head.epoch == 1 && parts.chain.head.revocations == before.revocations)
        try await parts.record(5)
        _ = try await parts.ledger.revoke("split:b", event: ChainFixture.event("revoke"))
        // Revoked once is revoked for ever, wherever its record is.
        _ = try await parts.ledger.revoke("split:a", event: ChainFixture.event("revoke"))
        #expect(parts.chain.head.epoch == 2)
        let second = try await parts.rotate()
        #expect(second.firstRecord == first.lastRecord)
        try await parts.record(3)
        let last = parts.chain.head
        await parts.close()

        let report = try parts.verify(expected: [before, last])
        #expect(report.finding == nil, "\(String(describing: report.finding))")
        #expect(report.firstRecord == 1 && report.archives.count == 2)
        #expect(report.head?.epoch == 2)
        #expect(try AuditReader(path: fixture.path).firstIndex() == second.lastRecord)
        // The archives alone, the first and the second, and the file alone.
        for (files, from, to): ([String], UInt64, UInt64) in [
            ([first.archive], 1, first.lastRecord), ([second.archive], second.firstRecord, second.lastRecord),
            ([second.archive, first.archive], 1, second.lastRecord),
        ] {
            let sorted = files.sorted()
            let alone = try AuditReader(path: sorted[sorted.count - 1]).verify(
                fingerprint: parts.fingerprint, earlier: .files(sorted.dropLast(), isPart: true))
            #expect(alone.finding == nil && alone.firstRecord == from && alone.records == to)
            #expect(alone.signedRecords == to)
        }
        let part = try parts.verify(.none)
        #expect(part.finding == nil && part.firstRecord == second.lastRecord)

        // The next process goes on from there, and the token trusts it.
        parts = try await Parts(fixture, token)
        if case .trusted = parts.chain.standing {} else { Issue.record("\(parts.chain.standing)") }
        for subject in ["split:a", "split:b"] { #expect(try parts.ledger.isRevoked(subject)) }
        #expect(try !parts.ledger.isRevoked("split:c"))
        #expect(parts.chain.head.epoch == 2)
        await parts.close()
        await token.shutdown()
    }

    @Test func missingAndEditedArchivesAreTold() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let parts = try await Parts(try ChainFixture(), token)
        try await parts.record(5)
        let first = try await parts.rotate()
        try await parts.record(5)
        let second = try await parts.rotate()
        await parts.close()
        let aside = first.archive + ".aside"
        try FileManager.default.moveItem(atPath: first.archive, toPath: aside)
        let missing = try parts.verify().finding
        #expect(missing?.code == .missing && missing?.index == 1)
        #expect(missing?.message.contains("audit-000000000001.db") == true)
        #expect(missing?.message.contains("--archive") == true)
        #expect(try parts.verify(.files([second.archive], isPart: false)).finding?.code == .missing)
        #expect(try parts.verify(.files([aside], isPart: false)).finding?.code == .missing)
        #expect(try parts.verify(.files([second.archive, aside], isPart: false)).finding == nil)
        try FileManager.default.moveItem(atPath: aside, toPath: first.archive)

        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: first.archive)
        let copy = try Data(contentsOf: URL(fileURLWithPath: first.archive))
        for (sql, code): (String, AuditFinding.Code) in [
            ("UPDATE records SET hash = zeroblob(32) WHERE idx = 3", .altered),
            ("DELETE FROM records WHERE idx = 3", .missing),
            ("DELETE FROM records WHERE idx = 1", .missing),
            ("DELETE FROM records WHERE idx > 4; DELETE FROM checkpoints WHERE idx > 4", .missing),
        ] {
            try copy.write(to: URL(fileURLWithPath: first.archive))
            let queue = try DatabaseQueue(path: first.archive)
            try await queue.write { db in try db.execute(sql: sql) }
            try queue.close()
            #expect(try parts.verify().finding?.code == code, "\(sql)")
        }
        try copy.write(to: URL(fileURLWithPath: first.archive))
        #expect(try parts.verify().finding == nil)
        await token.shutdown()
    }

    /// Where a file begins is not the file's own word.
    @Test func aForgedBeginningIsRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let original = try await Parts(try ChainFixture(), token)
        try await original.record(5)
        _ = try await original.rotate()
        let base = try AuditReader(path: original.fixture.path).firstIndex()
        try await original.record(5)
        await original.close()
        for sql in [
            "UPDATE parts SET closed = 0", "DELETE FROM parts", "UPDATE parts SET last = last + 2",
            "DELETE FROM checkpoints WHERE idx = \(base)",
            "UPDATE checkpoints SET signature = zeroblob(64) WHERE idx = \(base)",
            "DELETE FROM records WHERE idx = \(base)", "UPDATE records SET hash = zeroblob(32) WHERE idx = \(base)",
        ] {
            let copy = try original.fixture.copy()
            try copy.edit(sql)
            #expect(throws: AuditError.self, "\(sql)") { try copy.open(key: original.fingerprint) }
            // Without its list the file is a part like any other.
            let earlier: AuditReader.Earlier =
                ["UPDATE parts SET closed = 0", "DELETE FROM parts"].contains(sql) ? .found : .none
            let report = try AuditReader(path: copy.path).verify(fingerprint: original.fingerprint, earlier: earlier)
            #expect(report.finding != nil, "\(sql)")
        }
        let other = try original.fixture.copy()
        #expect(throws: AuditError.self) { try other.open(key: String(repeating: "0", count: 64)) }
        await token.shutdown()
    }

    /// As if the process had been killed at each of the points.
    @Test func anInterruptedRotationLosesNothingAndGoesOn() async throws {
        for point in [
            AuditFaults.Point.rotationRecorded, .rotationPlanned, .archiveGrew, .archiveChecked, .archiveNamed,
            .partClosed,
            .recordsRemoved,
        ] {
            // It remembers one chain.
            let token = try await SoftHSMToken.make().provisioned()
            let isArmed = Mutex(true)
            // The first group of removed records is one of none, before anything is closed.
            let skipped = Mutex(point == .recordsRemoved ? 1 : 0)
            let faults = AuditFaults { reached in
                guard reached == point, isArmed.withLock({ $0 }) else { return }
                if skipped.withLock({ left in
                    defer { left -= 1 }
                    return left > 0
                }) {
                    return
                }
                throw Interrupted()
            }
            let fixture = try ChainFixture()
            var parts = try await Parts(fixture, token, faults: faults)
            _ = try await parts.ledger.revoke("split:a", event: ChainFixture.event("revoke"))
            for number in 0..<2_500 { try await parts.chain.post(ChainFixture.event("op\(number)")) }
            await parts.chain.flush()
            await #expect(throws: (any Error).self, "\(point)") { try await parts.rotate() }
            // As after `kill -9`: no last checkpoint.
            await parts.chain.close()
            #expect(try parts.verify().finding == nil, "\(point)")

            isArmed.withLock { $0 = false }
            parts = try await Parts(fixture, token)
            if case .trusted = parts.chain.standing {} else { Issue.record("\(point): \(parts.chain.standing)") }
            #expect(try parts.ledger.isRevoked("split:a"))
            try await parts.record(2)
            _ = try await parts.rotate()
            #expect(try await fixture.rowsBeforeBase() == 0, "\(point)")
            await parts.close()
            let report = try parts.verify()
            #expect(report.finding == nil && report.firstRecord == 1 && report.records > 2_500, "\(point): \(report)")
            let files = try FileManager.default.contentsOfDirectory(
                atPath: AuditPart.directory(ofChain: fixture.path))
            #expect(files.allSatisfy { $0.hasSuffix(".db") }, "\(point): \(files)")
            await token.shutdown()
        }
    }
}

extension ChainFixture {
    /// Records that are there and in an archive.
    func rowsBeforeBase() async throws -> Int {
        let queue = try AuditDatabase.openReadOnly(path)
        defer { try? queue.close() }
        return try await queue.read { db in
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM records WHERE idx < (SELECT MAX(last) FROM parts WHERE closed)") ?? 0
        }
    }
}
