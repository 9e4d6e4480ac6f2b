import EnclaveLock
import Encodings
import Foundation
import SecretMemory
import Testing

/// Files written by earlier releases; they open for ever. `Golden/README.md` says how they were made.
@Suite("Golden files", .timeLimit(.minutes(10))) struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden/v1")

    /// Bytes 00 to 1f.
    private static let lockKey = [UInt8](0..<32)
    private static let secret = Array("golden secret, version 1".utf8)
    private static let identity = RecordIdentity(
        tenant: "did:key:golden#golden", keystore: "golden00000000000000", key: "golden-key", type: "ED25519",
        version: 3)

    private func read(_ name: String) throws -> [UInt8] {
        let text = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
        let digits = Array(text.utf8).filter { $0 != 0x0A }
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            try #require(UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16))
        }
    }

    @Test func theEnvelopeOfVersion1Opens() throws {
        let lockKey = try Samples.secret(Self.lockKey)
        let opened = try Envelope.open(try read("envelope.hex"), lockKey: lockKey, identity: Self.identity)
        #expect(Samples.bytes(opened) == Self.secret)
    }

    @Test func theIdentityOfVersion1HasTheSameBytes() throws {
        #expect(try read("record-identity.hex") == Self.identity.associatedData)
    }

    @Test func theLockRecordOfVersion1OpensWithItsLocalFilesKey() async throws {
        let file = NSTemporaryDirectory() + "kmsd-golden-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data(Data(Self.lockKey).base64EncodedString().utf8).write(to: URL(fileURLWithPath: file))
        chmod(file, 0o600)
        let lock = try LocalFileLock(path: file)
        let stored = try Data(contentsOf: Self.folder.appendingPathComponent("lock-record.json"))
        let record = try LockRecord(decoding: [UInt8](stored))
        let opened = try await record.open(with: [lock], tenant: Self.identity.tenant, keystore: Self.identity.keystore)
        #expect(Samples.bytes(opened) == Array(Self.lockKey.reversed()))
    }
}
