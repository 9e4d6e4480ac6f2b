import LibCrypto
import TPMBridge
import TestSupport
import Testing
import Token

/// A TPM's key that signs results: how an older installation gets it.
@Suite(.timeLimit(.minutes(10))) struct TPMResultKeyTests {
    private static let handle = "0x81010106"

    private static func configuration(
        _ tpm: SoftTPM, _ policies: MemoryPolicies?, _ manifest: TokenManifest? = nil
    ) -> TPMConfiguration {
        var configuration = tpm.configuration(manifest: manifest)
        configuration.policies = policies
        if policies != nil { configuration.address.registers = PCRSelection(.sha256, [12]) }
        return configuration
    }

    private static func started(_ configuration: TPMConfiguration) async throws -> TPMToken {
        let token = TPMToken(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        return token
    }

    private static func signs(_ token: TPMToken) async throws -> Bool {
        let message = ResultMessage([1, 2, 3]).encoded
        let signature = try await token.sign(message, with: .result)
        let verifier = try VerificationKey(curve: .p256, publicKey: try await token.publicKey(of: .result).point)
        return try verifier.verify(signature, message: message, encoding: .p1363)
    }

    /// Everything else works without it, and it is bound to registers exactly if the other keys are.
    @Test(arguments: [false, true]) func anOlderInstallationGetsItsKeyOnce(isBound: Bool) async throws {
        let tpm = try SoftTPM()
        let policies = isBound ? MemoryPolicies() : nil
        var token = try await Self.started(Self.configuration(tpm, policies))
        let whole = try await token.provision(instance: TokenManifest.makeInstance())
        #expect(whole[.result]?.kind == .ecP256 && whole[.result]?.id == Self.handle)
        #expect(try await Self.signs(token))
        await token.shutdown()

        var before = whole
        before[.result] = nil
        token = try await Self.started(Self.configuration(tpm, policies, before))
        #expect(try await token.sign([1], with: .audit).count == 64)
        #expect(await code { _ = try await Self.signs(token) } == .keyMissing)
        #expect(try await token.probe()["result-key"]?.outcome == .absent)
        // The key that is there belongs to a manifest that nobody has.
        let completed = try #require(try await token.completeProvisioning())
        #expect(completed[.result]?.fingerprint != whole[.result]?.fingerprint)
        #expect(try await token.completeProvisioning() == nil)
        #expect(try await Self.signs(token))
        #expect(try await token.probe()["result-key"]?.detail == "EC-P256")
        await token.shutdown()
        let shown = try tpm.tool("tpm2_readpublic", ["-c", Self.handle])
        #expect(shown.contains("userwithauth") != isBound)

        token = try await Self.started(Self.configuration(tpm, policies, completed))
        #expect(try await Self.signs(token))
        await token.shutdown()
        // The manifest that was replaced does not pin the new key.
        let stale = TPMToken(configuration: Self.configuration(tpm, policies, whole))
        stale.start()
        try await stale.isRefused(.keyMismatch)
        await stale.shutdown()
    }
}
