import Encodings
import Foundation
import GRDB
import HSMBridge
import TestSupport
import TestTokens
import Testing
import Token

@testable import Audit

/// Every edit of a chain is noticed, and the first bad record is named.
@Suite(.timeLimit(.minutes(10))) struct AuditVerifierTests {
    private struct Sample {
        let fixture: ChainFixture
        let fingerprint: String
        let head: AuditHead
    }

    /// 20 records and later 5 more: checkpoints at 12 and 20, revocations at 5 and 6.
    private static func make(_ token: PKCS11Token) async throws -> Sample {
        let fixture = try ChainFixture()
        let manifest = try #require(token.manifest)
        let fingerprint = try #require(manifest[.audit]?.fingerprint)
        let chain = try fixture.open(key: fingerprint)
        let notary = AuditNotary(chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
        try await token.keep(chain.head.encoded, as: AuditNotary.name)
        try await notary.compare()
        let ledger = RevocationLedger(chain: chain, notary: nil)
        for index in 2...25 {
            switch index {
            case 5, 6: _ = try await ledger.revoke("split:\(index)", event: ChainFixture.event("revoke"))
            default: _ = try await chain.record(ChainFixture.event("op\(index)", subject: "é\u{1B}[31m\n"))
            }
            if [12, 20].contains(index) { try await notary.checkpoint() }
        }
        let head = chain.head
        await chain.close()
        return Sample(fixture: fixture, fingerprint: fingerprint, head: head)
    }

    private static func verify(_ sample: Sample, expected: [AuditHead] = []) throws -> AuditReport {
        try AuditReader(path: sample.fixture.path).verify(fingerprint: sample.fingerprint, expected: expected)
    }

    private static func export(_ sample: Sample) throws -> [String] {
        var lines: [String] = []
        try AuditReader(path: sample.fixture.path).visit { lines.append($0.json) }
        return lines
    }

    private static func verify(_ lines: [String], _ sample: Sample) throws -> AuditReport {
        let path = try ScratchDirectory.make("export").path + "/export.jsonl"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
        return try AuditReader(path: path).verify(fingerprint: sample.fingerprint)
    }

    @Test func aGoodChainVerifies() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let sample = try await Self.make(token)
        for report in [try Self.verify(sample), try Self.verify(try Self.export(sample), sample)] {
            #expect(report.finding == nil)
            #expect(report.records == 25)
            #expect(report.checkpoints == 2)
            #expect(report.signedRecords == 20)
            #expect(report.keyFingerprint == sample.fingerprint)
            #expect(report.head == AuditHeadFile(sample.head))
        }
        let file = try AuditHeadFile.head(in: Array(PlainJSON.encode(AuditHeadFile(sample.head)).utf8))
        // The file tells no time: only what the token keeps does.
        var head = sample.head
        head.time = nil
        #expect(file == head)
        #expect(try AuditHeadFile.head(in: Array(PlainJSON.encode(try Self.verify(sample)).utf8)) == head)
        #expect(try Self.verify(sample, expected: [file]).finding == nil)
        await token.shutdown()
    }

    @Test func everyEditIsNamed() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let edits: [(sql: String, index: UInt64, code: AuditFinding.Code)] = [
            (
                "UPDATE records SET body = CAST(substr(body, 1, 99) || x'FE' || substr(body, 101) AS BLOB) WHERE idx = 7",
                7, .altered
            ),
            ("UPDATE records SET hash = zeroblob(32) WHERE idx = 7", 7, .altered),
            ("UPDATE records SET body = x'00' WHERE idx = 1", 1, .altered),
            ("DELETE FROM records WHERE idx = 7", 7, .missing),
            ("DELETE FROM records WHERE idx = 1", 1, .missing),
            ("DELETE FROM records WHERE idx < 4", 1, .missing),
            ("UPDATE records SET idx = CASE idx WHEN 107 THEN 8 ELSE 7 END WHERE idx IN (107, 108)", 7, .altered),
            ("DELETE FROM records WHERE idx > 18", 19, .missing),
            ("DELETE FROM records WHERE idx = 12", 12, .missing),
            ("UPDATE checkpoints SET signature = zeroblob(64) WHERE idx = 12", 12, .checkpoint),
            ("UPDATE checkpoints SET body = x'01' WHERE idx = 20", 20, .checkpoint),
            ("DELETE FROM revocations WHERE epoch = 2", 25, .revocations),
            ("UPDATE revocations SET subject = 'x' WHERE epoch = 2", 25, .revocations),
        ]
        let original = try await Self.make(token)
        for edit in edits {
            let sample = Sample(
                fixture: try original.fixture.copy(), fingerprint: original.fingerprint, head: original.head)
            // Two steps, since an index is unique.
            if edit.sql.contains("107") {
                try sample.fixture.edit("UPDATE records SET idx = idx + 100 WHERE idx IN (7, 8)")
            }
            try sample.fixture.edit(edit.sql)
            let finding = try Self.verify(sample).finding
            #expect(finding?.index == edit.index, "\(edit.sql): \(String(describing: finding))")
            #expect(finding?.code == edit.code, "\(edit.sql): \(String(describing: finding))")
        }
        await token.shutdown()
    }

    @Test func aSpliceOfTwoChainsIsNamed() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let (first, second) = (try await Self.make(token), try await Self.make(token))
        let donor = try DatabaseQueue(path: second.fixture.path)
        let rows = try await donor.read { db in
            try Row.fetchAll(db, sql: "SELECT idx, body, hash FROM records WHERE idx >= 9").map(
                AuditTables.StoredRecord.init)
        }
        try donor.close()
        for row in rows {
            try first.fixture.edit(
                "UPDATE records SET body = ?, hash = ? WHERE idx = ?",
                [Data(row.body), Data(row.hash), Int64(row.index)])
        }
        let finding = try Self.verify(first).finding
        #expect(finding?.index == 9)
        #expect(finding?.code == .brokenLink)
        await token.shutdown()
    }

    /// Whoever rewrites records and all hashes after them still lacks the audit key.
    @Test func aChainHashedAgainIsNamedAtItsCheckpoint() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let sample = try await Self.make(token)
        var previous: [UInt8]?
        for var record in try sample.fixture.records().dropFirst(9) {
            if record.index == 10 { record.event.actor = "somebody else" }
            if let previous { record.previous = previous }
            let hash = try AuditRecord.hash(record.encoded)
            previous = hash
            try sample.fixture.edit(
                "UPDATE records SET body = ?, hash = ? WHERE idx = ?",
                [Data(record.encoded), Data(hash), Int64(record.index)])
        }
        let report = try Self.verify(sample)
        #expect(report.finding?.index == 12)
        #expect(report.finding?.code == .checkpoint)
        #expect(report.signedRecords == 0)
        await token.shutdown()
    }

    @Test func checkpointsOfAnotherKeyAreRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let other = try await SoftHSMToken.make().provisioned()
        let sample = try await Self.make(token)
        let foreign = try await other.publicKey(of: .audit)
        let row = try #require(try sample.fixture.records().dropFirst(19).first)
        var forged = AuditCheckpoint(
            position: AuditPosition(index: 20, hash: try AuditRecord.hash(row.encoded)), time: 1, token: "",
            publicKey: foreign.subjectPublicKeyInfo, signature: [])
        forged.signature = try await other.sign(forged.encoded, with: .audit)
        try sample.fixture.edit(
            "UPDATE checkpoints SET body = ?, public_key = ?, signature = ? WHERE idx = 20",
            [Data(forged.encoded), Data(forged.publicKey), Data(forged.signature)])
        #expect(try Self.verify(sample).finding?.code == .checkpoint)
        // A whole chain by another key is told by the fingerprint.
        let report = try AuditReader(path: sample.fixture.path).verify(fingerprint: foreign.fingerprint)
        #expect(report.finding?.code == .otherKey)
        // Another role of the right token signs nothing that counts: only one role's key is pinned.
        forged.publicKey = try await token.publicKey(of: .audit).subjectPublicKeyInfo
        #expect(!forged.verifies(pinned: sample.fingerprint))
        await token.shutdown()
        await other.shutdown()
    }

    @Test func aCutTailIsToldApart() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let sample = try await Self.make(token)
        // Behind the last checkpoint nothing in the file tells; a head that was kept does.
        try sample.fixture.edit("DELETE FROM records WHERE idx > 22")
        let report = try Self.verify(sample)
        #expect(report.finding == nil)
        #expect(report.records - report.signedRecords == 2)
        let finding = try Self.verify(sample, expected: [sample.head]).finding
        #expect(finding?.code == .truncated)
        #expect(finding?.index == 23)
        var replaced = sample.head
        replaced.position.index = 21
        #expect(try Self.verify(sample, expected: [replaced]).finding?.code == .replaced)
        // With its checkpoint gone too, the same holds from there.
        try sample.fixture.edit("DELETE FROM records WHERE idx > 12")
        try sample.fixture.edit("DELETE FROM checkpoints WHERE idx > 12")
        #expect(try Self.verify(sample).finding == nil)
        #expect(try Self.verify(sample, expected: [sample.head]).finding?.index == 13)
        await token.shutdown()
    }

    @Test func anEditedExportIsNamed() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let sample = try await Self.make(token)
        let lines = try Self.export(sample)
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } })
        func edited(_ edit: (inout [String]) -> Void) throws -> AuditFinding? {
            var copy = lines
            edit(&copy)
            return try Self.verify(copy, sample).finding
        }
        #expect(try edited { $0.remove(at: 3) }?.index == 4)
        #expect(try edited { $0.swapAt(3, 4) }?.index == 4)
        #expect(try edited { $0[6] = $0[6].replacingOccurrences(of: "op7", with: "op8") }?.index == 7)
        #expect(try edited { $0[6] += " " }?.index == 7)
        #expect(
            try edited { $0[6] = $0[6].replacingOccurrences(of: "{\"boot\"", with: "{\"a\":1,\"boot\"") }?.index == 7)
        #expect(
            try edited {
                $0[6] = $0[6].replacingOccurrences(of: "\"actor\":\"-\",", with: "\"actor\":\"x\",\"actor\":\"-\",")
            }?.index == 7)
        #expect(try edited { $0.insert($0[2], at: 5) }?.code == .outOfOrder)
        #expect(try edited { $0.removeFirst() }?.index == 1)
        #expect(try edited { $0.removeAll() }?.index == 1)
        await token.shutdown()
    }
}
