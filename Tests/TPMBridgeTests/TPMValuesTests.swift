import Foundation
import HSMBridge
import TPMBridge
import TestSupport
import Testing

@Suite struct TPMValuesTests {
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
        tpm.kill()
        try tpm.start()
        let again = tpm.token(manifest)
        try await again.waitUntilReady(timeout: .seconds(30))
        #expect(try await again.keptValue("head") == [4])
        await again.shutdown()
    }

    @Test func isReadWithItsAuthorizationOnly() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        await token.shutdown()
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvread", ["0x181010a"]) }
        #expect(throws: Command.Failure.self) {
            try tpm.tool("tpm2_nvwrite", ["0x181010a", "-i", tpm.pinFile.path])
        }
    }

    /// The owner of the TPM can remove the memory and make it again, even with the right authorization value if he knows
    /// it. It is not taken for one that has nothing to tell.
    @Test func memoryMadeAgainIsNotBelieved() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        try await token.keep([1], as: "head")
        let manifest = token.manifest
        await token.shutdown()
        try tpm.tool("tpm2_nvundefine", ["0x181010a"])
        let missing = tpm.token(manifest)
        try await missing.waitUntilReady(timeout: .seconds(30))
        #expect(await code { _ = try await missing.keptValue("head") } == .keyMissing)
        try await missing.keep([9], as: "head")
        #expect(try await missing.keptValue("head") == [9])
        await missing.shutdown()
        try tpm.tool("tpm2_nvundefine", ["0x181010a"])
        let value = tpm.state.path + "/value"
        try Data(PCRPolicyTests.derivedValue).write(to: URL(fileURLWithPath: value))
        try tpm.tool(
            "tpm2_nvdefine", ["0x181010a", "-s", "512", "-a", "authread|authwrite|no_da", "-p", "file:\(value)"])
        let again = tpm.token(manifest)
        try await again.waitUntilReady(timeout: .seconds(30))
        #expect(await code { _ = try await again.keptValue("head") } == .keyMismatch)
        // An operator who adopts the chain writes it, and is told nothing wrong from then on.
        try await again.keep([2], as: "head")
        #expect(try await again.keptValue("head") == [2])
        await again.shutdown()
    }
}
