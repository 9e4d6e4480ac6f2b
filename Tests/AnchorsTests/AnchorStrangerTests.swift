import EnclaveLock
import Foundation
import HSMBridge
import Pairing
import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import Anchors

/// What other programs with the PIN, and readers of the disk, see of anchors.
@Suite(.timeLimit(.minutes(10))) struct AnchorStrangerTests {
    typealias Material = AnchorMaterial

    private static func tool(_ soft: SoftHSMToken, _ arguments: [String]) throws -> Command.Result {
        var environment = soft.environment
        environment["KMSD_TEST_PIN"] = try soft.pin()
        return try Command.run(
            "pkcs11-tool",
            ["--module", soft.modulePath, "--token-label", soft.label, "--login", "--pin", "env:KMSD_TEST_PIN"]
                + arguments,
            environment: environment)
    }

    @Test func pkcs11ToolShowsAnAnchorAsSensitiveAndReadsNothing() async throws {
        let soft = try SoftHSMToken.make()
        let token = try await soft.provisioned()
        let keeper = TokenAnchorKeeper(token: token, settings: AnchorSettings(placement: .anchored, storage: .object))
        let scalar = try Material.scalar()
        let record = try await keeper.take(scalar, identity: Material.identity)
        let anchor = try await keeper.open(record, Material.identity)
        let id = anchor.blob.identifier.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()

        let listing = try Self.tool(soft, ["--list-objects", "--type", "privkey"]).text
        let entry = try #require(
            listing.components(separatedBy: "Private Key Object").first { $0.contains("kmsd-anchor/") })
        #expect(entry.contains(id))
        let usage = try #require(entry.split(separator: "\n").first { $0.contains("Usage:") })
        #expect(usage.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) == "derive")
        let access = try #require(entry.split(separator: "\n").first { $0.contains("Access:") })
        #expect(access.contains("sensitive"))
        #expect(!access.replacingOccurrences(of: "never extractable", with: "").contains("extractable"))

        let message = FileManager.default.temporaryDirectory.appendingPathComponent("anchor-\(UUID().uuidString)")
        try Data(count: 32).write(to: message)
        defer { try? FileManager.default.removeItem(at: message) }
        let reading = try Self.tool(soft, ["--read-object", "--type", "privkey", "--id", id])
        let bytes = scalar.withUnsafeBytes { Data($0) }
        #expect(Data(reading.output).range(of: bytes) == nil)
        #expect(Data(reading.output).range(of: Data(bytes.reversed())) == nil)
        let signing = try Self.tool(
            soft, ["--sign", "--mechanism", "ECDSA", "--id", id, "--input-file", message.path])
        #expect(signing.status != 0, "an anchor signs nothing")
        let lint = try await token.lint()
        let object = try #require(lint.objects.first { $0.label.hasPrefix("kmsd-anchor/") })
        #expect(object.findings.isEmpty)

        #expect(try await token.sweep().isEmpty, "what clears leftovers away leaves anchors alone")
        try await keeper.destroy(record, identity: Material.identity)
        #expect(!(try Self.tool(soft, ["--list-objects", "--type", "privkey"]).text.contains("kmsd-anchor/")))
        let code = await Material.code {
            _ = try await keeper.multiply(record, try Material.message("m"), identity: Material.identity)
        }
        #expect(code == .damaged)
        await token.shutdown()
    }

    @Test func theScalarIsNowhereOnTheDisk() async throws {
        let soft = try SoftHSMToken.make()
        let token = try await soft.provisioned()
        let scalar = try Material.scalar()
        var records: [AnchorRecord] = []
        for settings in TokenAnchorTests.ways + [AnchorSettings(placement: .sealed)] {
            let keeper = TokenAnchorKeeper(token: token, settings: settings)
            records.append(try await keeper.take(scalar, identity: Material.identity))
        }
        let little = scalar.withUnsafeBytes { Data($0) }
        let folder = try #require(FileManager.default.enumerator(at: soft.directory, includingPropertiesForKeys: nil))
        var contents = records.map { Data($0.blob) }
        for case let file as URL in folder where !file.hasDirectoryPath { contents.append(try Data(contentsOf: file)) }
        #expect(contents.count > records.count)
        for data in contents {
            #expect(data.range(of: little) == nil)
            #expect(data.range(of: Data(little.reversed())) == nil)
        }
        await token.shutdown()
    }
}
