import TPMBridge
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct ImpostorTests {
    let context = Array("a context".utf8)

    @Test(arguments: Impostor.Manner.allCases.filter { $0 != .flipBits })
    func nonsenseIsNeverATPM(_ manner: Impostor.Manner) async throws {
        let tpm = try SoftTPM()
        let impostor = try Impostor(manner, before: tpm)
        defer { impostor.end() }
        var configuration = tpm.configuration()
        configuration.address.path = .socket(impostor.socket)
        configuration.callTimeout = .milliseconds(500)
        let token = TPMToken(configuration: configuration)
        token.start()
        let found = await code { try await token.waitUntilReady(timeout: .seconds(2)) }
        #expect([.tokenUnavailable, .deviceFailure].contains(found))
        #expect(await code { _ = try await token.seal(secret("x"), under: .rootLock, context: context) } != nil)
        await token.shutdown()
    }

    /// Whatever a changed bit does, it never makes a wrong answer.
    @Test func changedAnswersGiveErrorsOrTheTruth() async throws {
        let tpm = try SoftTPM()
        let maker = try await tpm.provisioned()
        let sealed = try await maker.seal(try secret("kept"), under: .rootLock, context: context)
        let key = try await maker.publicKey(of: .audit)
        var configuration = tpm.configuration(manifest: maker.manifest)
        await maker.shutdown()
        let impostor = try Impostor(.flipBits, before: tpm)
        defer { impostor.end() }
        configuration.address.path = .socket(impostor.socket)
        configuration.callTimeout = .seconds(1)
        let token = TPMToken(configuration: configuration)
        token.start()
        for _ in 0..<100 {
            if let opened = try? await token.open(sealed, under: .rootLock, context: context) {
                #expect(text(opened) == "kept")
            }
            if let shown = try? await token.publicKey(of: .audit) { #expect(shown == key) }
            if !token.health.isReady { try await Task.sleep(for: .milliseconds(20)) }
        }
        await token.shutdown()
        let again = tpm.token(configuration.manifest)
        try await again.waitUntilReady(timeout: .seconds(120))
        #expect(text(try await again.open(sealed, under: .rootLock, context: context)) == "kept")
        await again.shutdown()
    }
}
