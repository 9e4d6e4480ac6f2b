import Encodings
import Foundation
import TestSupport
import Testing

@testable import Audit

/// Mutated bytes are refused or mean exactly what they say; nothing traps.
@Suite(.timeLimit(.minutes(10))) struct AuditFuzzTests {
    private static var record: AuditRecord {
        AuditRecord(
            index: 7, time: 1_767_225_600_123, boot: [UInt8](repeating: 3, count: 16), token: "5ea1",
            previous: [UInt8](repeating: 9, count: 32), kind: .revocation, epoch: 2,
            revocations: [UInt8](repeating: 4, count: 32),
            event: AuditEvent(
                front: "vault", actor: "alice\u{1B}[0m", operation: "revoke", subject: "split:a:b", outcome: .refused,
                reason: "expired", requestID: "é", details: ["a": "1", "b": "2"]))
    }

    @Test func recordsHaveOneSpelling() throws {
        let bytes = Self.record.encoded
        #expect(AuditRecord(encoded: bytes) == Self.record)
        // Computed by another program from docs/FORMATS.md; the format must not change.
        #expect(
            Hexadecimal.encode(try AuditRecord.hash(bytes))
                == "a8be9d481102d270124051b8a459ac311eb0249cb713bf12b780185f30b38cd0")
        var mutator = Mutator(seed: 41)
        for _ in 0..<20_000 {
            let mutated = mutator.mutate(bytes)
            if let read = AuditRecord(encoded: mutated) { #expect(read.encoded == mutated) }
        }
    }

    @Test func recordsThatTellTheDatabasesEpochHaveOneSpelling() throws {
        var record = Self.record
        record.storeEpoch = 11
        let bytes = record.encoded
        #expect(AuditRecord(encoded: bytes) == record)
        // As above.
        #expect(
            Hexadecimal.encode(try AuditRecord.hash(bytes))
                == "e548320d7af6ece67f59358d5d63ef612ce3c926146aef10d5644e5fdcdc5e2e")
        let line = AuditLine.record(record, hash: [UInt8](repeating: 5, count: 32))
        #expect(AuditLine(json: Array(line.json.utf8)) == line)
        var mutator = Mutator(seed: 44)
        for _ in 0..<20_000 {
            let mutated = mutator.mutate(bytes)
            if let read = AuditRecord(encoded: mutated) { #expect(read.encoded == mutated) }
        }
    }

    @Test func headsAndCheckpointsHaveOneSpelling() throws {
        let position = AuditPosition(index: 9, hash: [UInt8](repeating: 1, count: 32))
        let head = AuditHead(position: position, epoch: 3, revocations: [UInt8](repeating: 2, count: 32))
        let checkpoint = AuditCheckpoint(position: position, time: -1, token: "t", publicKey: [], signature: [])
        #expect(AuditHead(encoded: head.encoded) == head)
        var mutator = Mutator(seed: 42)
        for _ in 0..<20_000 {
            let bytes = mutator.mutate(head.encoded)
            if let read = AuditHead(encoded: bytes) { #expect(read.encoded == bytes) }
            let other = mutator.mutate(checkpoint.encoded)
            if let read = AuditCheckpoint(encoded: other, publicKey: [], signature: []) {
                #expect(read.encoded == other)
            }
        }
    }

    @Test func linesHaveOneSpelling() throws {
        let line = AuditLine.record(Self.record, hash: [UInt8](repeating: 5, count: 32))
        let json = Array(line.json.utf8)
        #expect(AuditLine(json: json) == line)
        #expect(!line.json.contains("\u{1B}"))
        var mutator = Mutator(seed: 43)
        for _ in 0..<2_000 {
            let mutated = mutator.mutate(json)
            if let read = AuditLine(json: mutated) { #expect(Array(read.json.utf8) == mutated) }
        }
    }

    @Test func publicKeysHaveOneSpelling() throws {
        let privateKey = try OpenSSLCommand.privateKey("P-256")
        let pem = String(
            decoding: try OpenSSLCommand.output(["pkey", "-inform", "DER", "-pubout"], input: privateKey), as: UTF8.self
        )
        let key = try AuditPublicKey(pem: pem)
        #expect(key.pem == pem)
        var mutator = Mutator(seed: 44)
        let der = key.subjectPublicKeyInfo
        for _ in 0..<2_000 {
            let mutated = mutator.mutate(der)
            if let read = try? AuditPublicKey(subjectPublicKeyInfo: mutated) {
                #expect(read.subjectPublicKeyInfo == mutated)
            }
            _ = try? AuditPublicKey(pem: String(decoding: mutator.mutate(Array(pem.utf8)), as: UTF8.self))
        }
    }
}
