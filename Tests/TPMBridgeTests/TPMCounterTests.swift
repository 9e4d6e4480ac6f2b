import Foundation
import HSMBridge
import TPMBridge
import TestSupport
import Testing

@Suite struct TPMCounterTests {
    @Test func growsByOneAndSurvivesEverything() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let counter = token.counter(.audit)
        let start = try await counter.read()
        for step in 1...5 { #expect(try await counter.increment() == start + UInt64(step)) }
        #expect(counter.counterIdentity != token.counter(.revocations).counterIdentity)
        let other = try await token.counter(.revocations).read()
        #expect(try await token.counter(.revocations).increment() == other + 1)
        tpm.kill()
        try tpm.start()
        try await token.waitUntilReady(timeout: .seconds(30))
        #expect(try await counter.read() >= start + 5)
        await token.shutdown()
    }

    /// What an auditor does: data and number are stored together, and an older copy of both shows.
    @Test func anOlderCopyIsNoticed() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let counter = token.counter(.audit)
        let yesterday = try await counter.increment()
        let today = try await counter.increment()
        #expect(try await counter.read() == today)
        #expect(try await counter.read() > yesterday)
        await token.shutdown()
    }

    /// A counter made anew does not go back.
    @Test func removingItDoesNotTurnItBack() async throws {
        let tpm = try SoftTPM()
        let instance = TokenManifest.makeInstance()
        let first = tpm.token(nil)
        try await first.waitUntilReady(timeout: .seconds(30))
        _ = try await first.provision(instance: instance)
        var last: UInt64 = 0
        for _ in 0..<5 { last = try await first.counter(.audit).increment() }
        await first.shutdown()
        let second = tpm.token(nil)
        try await second.waitUntilReady(timeout: .seconds(30))
        try await second.sweep(instance: instance)
        _ = try await second.provision(instance: TokenManifest.makeInstance())
        #expect(try await second.counter(.audit).read() > last)
        await second.shutdown()
    }

    @Test func keepsAValueWhereCopiesOfTheDiskDoNotReach() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        #expect(try await token.keptValue("head") == nil)
        for value in [[1, 2, 3], [], [UInt8](repeating: 9, count: 400), [4]] as [[UInt8]] {
            try await token.keep(value, as: "head")
            #expect(try await token.keptValue("head") == value)
        }
        let long = [UInt8](repeating: 1, count: 600)
        #expect(await code { try await token.keep(long, as: "head") } == .invalidArgument)
        #expect(await code { try await token.keep([1], as: "other") } == .mechanismUnsupported)
        let manifest = token.manifest
        await token.shutdown()
        let again = tpm.token(manifest)
        try await again.waitUntilReady(timeout: .seconds(30))
        #expect(try await again.keptValue("head") == [4])
        await again.shutdown()
    }

    @Test func isReadWithItsAuthorizationOnly() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        await token.shutdown()
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvread", ["0x1810108"]) }
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvincrement", ["0x1810108"]) }
    }
}
