import Foundation
import TPMBridge
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct LockoutTests {
    @Test func isToldWithItsEndAndHeals() async throws {
        let tpm = try SoftTPM()
        var configuration = tpm.configuration()
        configuration.address.lockout = true
        let token = TPMToken(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        try tpm.tool("tpm2_dictionarylockout", ["--setup-parameters", "-n", "2", "-t", "30", "-l", "30"])
        // Somebody else guesses.
        for _ in 0..<3 {
            _ = try? tpm.tool("tpm2_hmac", ["-c", "0x81010101", "-p", "wrong", tpm.pinFile.path])
        }
        let context: [UInt8] = [1]
        var told: HSMError?
        try await eventually("the lockout is told") {
            if let error = token.health.error, error.code == .lockedOut { told = error }
            return told != nil
        }
        let error = try #require(told)
        #expect(error.message.contains("within 30 s"))
        #expect(await code { _ = try await token.seal(secret("x"), under: .rootLock, context: context) } == .lockedOut)
        // The daemon tries nothing meanwhile, so the lockout ends in time.
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.seal(try secret("x"), under: .rootLock, context: context)
        await token.shutdown()
    }

    @Test func keysWithoutLockoutGoOnWorking() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        // Another program guesses: refused each time, for the wrong value and not for too many of them.
        for _ in 0..<40 {
            let error = #expect(throws: Command.Failure.self) {
                try tpm.tool("tpm2_hmac", ["-c", "0x81010101", "-p", "wrong", tpm.pinFile.path])
            }
            let answer = error?.description ?? ""
            #expect(answer.contains("authorization") && !answer.contains("lockout"), "\(answer)")
        }
        _ = try await token.seal(try secret("x"), under: .rootLock, context: [1])
        await token.shutdown()
    }
}
