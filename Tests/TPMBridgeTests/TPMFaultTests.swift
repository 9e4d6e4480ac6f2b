import Foundation
import TPMBridge
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct TPMFaultTests {
    let context = Array("a context".utf8)

    @Test func healsWhenTheTPMIsKilledAndComesBack() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        let key = try await token.generateResident(.p256)
        _ = try await token.sign(digest: Array(repeating: 1, count: 32), with: key)
        for _ in 0..<3 {
            tpm.kill()
            #expect(
                await code { _ = try await token.open(sealed, under: .rootLock, context: context) }
                    == .tokenUnavailable)
            #expect(!token.health.isReady)
            try tpm.start()
            try await token.waitUntilReady(timeout: .seconds(120))
            #expect(text(try await token.open(sealed, under: .rootLock, context: context)) == "kept")
            #expect(try await token.sign(digest: Array(repeating: 1, count: 32), with: key).count == 64)
        }
        await token.shutdown()
    }

    @Test func survivesAResetThatNobodyNoticed() async throws {
        let tpm = try SoftTPM()
        let maker = try await tpm.provisioned()
        let sealed = try await maker.seal(try secret("kept"), under: .rootLock, context: context)
        var configuration = tpm.configuration(manifest: maker.manifest)
        await maker.shutdown()
        // No check comes in between: the request meets a TPM that does not know the session.
        configuration.healthInterval = .seconds(600)
        let token = TPMToken(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        tpm.kill()
        try tpm.start()
        #expect(text(try await token.open(sealed, under: .rootLock, context: context)) == "kept")
        await token.shutdown()
    }

    @Test func isKilledInTheMiddleOfWork() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<100 {
                        guard let opened = try? await token.open(sealed, under: .rootLock, context: context) else {
                            continue
                        }
                        #expect(text(opened) == "kept")
                    }
                }
            }
            tpm.kill()
        }
        try tpm.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        #expect(text(try await token.open(sealed, under: .rootLock, context: context)) == "kept")
        await token.shutdown()
    }

    @Test func refusesAWrongPINOnce() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let manifest = try #require(token.manifest)
        await token.shutdown()
        try tpm.writePIN("another secret of some length")
        let stranger = tpm.token(manifest)
        #expect(await code { try await stranger.waitUntilReady(timeout: .seconds(120)) } == .pinRefused)
        #expect(await code { _ = try await stranger.seal(secret("x"), under: .rootLock, context: [1]) } == .pinRefused)
        await stranger.shutdown()
        try tpm.writePIN("short")
        let guessable = tpm.token(manifest)
        #expect(await code { try await guessable.waitUntilReady(timeout: .seconds(120)) } == .pinSourceRefused)
        await guessable.shutdown()
    }

    @Test func refusesAForeignTPM() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let manifest = try #require(token.manifest)
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        await token.shutdown()

        let other = try SoftTPM()
        let empty = other.token(manifest)
        try await empty.isRefused(.tokenMismatch)
        #expect(
            await code { _ = try await empty.open(sealed, under: .rootLock, context: context) } == .tokenMismatch)
        await empty.shutdown()

        let owner = try await other.provisioned()
        await owner.shutdown()
        let impostor = other.token(manifest)
        try await impostor.isRefused(.tokenMismatch)
        await impostor.shutdown()
    }

    @Test func refusesAnotherKeyAtItsHandle() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let manifest = try #require(token.manifest)
        await token.shutdown()
        try tpm.tool("tpm2_evictcontrol", ["-c", "0x81010101"])
        let missing = tpm.token(manifest)
        try await missing.isRefused(.keyMissing)
        await missing.shutdown()
        try tpm.tool("tpm2_createprimary", ["-C", "o", "-c", tpm.state.path + "/primary.ctx"])
        try tpm.tool("tpm2_evictcontrol", ["-c", tpm.state.path + "/primary.ctx", "0x81010101"])
        let wrong = tpm.token(manifest)
        try await wrong.isRefused(.keyMismatch)
        await wrong.shutdown()
    }

    /// Whoever may make objects may have put a storage key of his own there, to which our secrets would be encrypted.
    @Test func refusesAStrangersStorageKey() async throws {
        let tpm = try SoftTPM()
        try tpm.tool("tpm2_createprimary", ["-C", "o", "-G", "ecc256", "-c", tpm.state.path + "/primary.ctx"])
        try tpm.tool("tpm2_evictcontrol", ["-c", tpm.state.path + "/primary.ctx", "0x81010100"])
        let shown = try tpm.tool("tpm2_readpublic", ["-c", "0x81010100"])
        let token = tpm.token(nil)
        try await token.waitUntilReady(timeout: .seconds(120))
        #expect(
            await code { _ = try await token.provision(instance: TokenManifest.makeInstance()) } == .alreadyProvisioned)
        await token.shutdown()
        #expect(try tpm.tool("tpm2_readpublic", ["-c", "0x81010100"]) == shown)
        #expect(try tpm.tool("tpm2_getcap", ["handles-persistent"]).split(separator: "\n").count == 1)

        // After `init`, in the place of the key that the manifest pins.
        try tpm.tool("tpm2_evictcontrol", ["-c", "0x81010100"])
        let owner = try await tpm.provisioned()
        let manifest = try #require(owner.manifest)
        await owner.shutdown()
        try tpm.tool("tpm2_evictcontrol", ["-c", "0x81010100"])
        try tpm.tool("tpm2_evictcontrol", ["-c", tpm.state.path + "/primary.ctx", "0x81010100"])
        let refused = tpm.token(manifest)
        try await refused.isRefused(.tokenMismatch)
        await refused.shutdown()
    }

    @Test func letsOnlyOneProcessUseABareTPM() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let manifest = try #require(token.manifest)
        let second = tpm.token(manifest)
        #expect(await code { try await second.waitUntilReady(timeout: .seconds(1)) } == .tokenUnavailable)
        _ = try await token.seal(try secret("x"), under: .rootLock, context: context)
        await token.shutdown()
        try await second.waitUntilReady(timeout: .seconds(120))
        await second.shutdown()
    }

    @Test func provisionsOnceAndSweepsWhatWasBegun() async throws {
        let tpm = try SoftTPM()
        let instance = TokenManifest.makeInstance()
        let first = tpm.token(nil)
        try await first.waitUntilReady(timeout: .seconds(120))
        _ = try await first.provision(instance: instance)
        await first.shutdown()

        let second = tpm.token(nil)
        try await second.waitUntilReady(timeout: .seconds(120))
        #expect(
            await code { _ = try await second.provision(instance: TokenManifest.makeInstance()) }
                == .alreadyProvisioned)
        #expect(try await second.sweep(instance: TokenManifest.makeInstance()).isEmpty)
        #expect(try await second.sweep(instance: instance).count == 8)
        _ = try await second.provision(instance: TokenManifest.makeInstance())
        _ = try await second.seal(try secret("x"), under: .rootLock, context: context)
        await second.shutdown()
    }
}
