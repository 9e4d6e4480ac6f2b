import Foundation
import HSMBridge
import TestSupport
import TestTokens
import Testing
import Token

/// No object the daemon makes can be read or taken out, and the lint proves it on the real token.
@Suite(.timeLimit(.minutes(10))) struct ManagedObjectTests {
    @Test func everyProvisionedObjectIsClean() async throws {
        let token = try SoftHSMToken.make()
        let configuration = TokenConfiguration(uri: token.uri, pinSource: token.pinSource)
        let device = PKCS11Token(configuration: configuration)
        device.start()
        try await device.waitUntilReady(timeout: .seconds(120))
        let manifest = try await device.provision(instance: TokenManifest.makeInstance())
        let report = try await device.lint()
        #expect(report.grade == .ok, "\(report.objects.filter { $0.grade != .ok })")
        #expect(
            report.objects.filter { $0.isManaged && $0.objectClass != "public-key" }.count == KeyRole.allCases.count)
        let probe = try await device.probe()
        #expect(probe["aes-256-gcm"]?.outcome == .ok)
        #expect(probe.token.serial == token.serial)
        #expect(try await device.lint() == report, "the probe leaves nothing behind")
        #expect(manifest.token.serial == token.serial)
        await device.shutdown()
        // A stranger sees the keys, and that they cannot be extracted.
        let pin = String(decoding: try Data(contentsOf: token.pinFile), as: UTF8.self)
        let listing = try Command.succeed(
            "pkcs11-tool",
            ["--module", token.modulePath, "--token-label", token.label, "--login", "--pin", pin, "--list-objects"],
            environment: token.environment
        ).text
        #expect(listing.contains("/root-lock/1"))
        let access = listing.split(separator: "\n").filter { $0.contains("Access:") }
        let guarded = access.filter { $0.contains("sensitive") && $0.contains("never extractable") }
        #expect(guarded.count == KeyRole.allCases.count, "\(access)")
        let read = try Command.run(
            "pkcs11-tool",
            [
                "--module", token.modulePath, "--token-label", token.label, "--login", "--pin", pin, "--read-object",
                "--type", "secrkey", "--label", try #require(manifest[.rootLock]?.label),
            ], environment: token.environment)
        #expect(read.status != 0 || read.output.isEmpty)
    }
}
