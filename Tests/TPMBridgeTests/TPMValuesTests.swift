import Foundation
import TestSupport
import Testing
import Token

@testable import TPMBridge

@Suite(.timeLimit(.minutes(10))) struct TPMValuesTests {
    @Test func keepsAValueWhereCopiesOfTheDiskDoNotReach() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        #expect(try await token.keptValue("head") == KeptValue(value: nil, counter: 0))
        var counter: UInt64 = 0
        for value in [[1, 2, 3], [], [UInt8](repeating: 9, count: 400), [4]] as [[UInt8]] {
            let counted = try await token.keep(value, as: "head")
            #expect(counted == counter + 1 || counter == 0)
            counter = counted
            #expect(try await token.keptValue("head") == KeptValue(value: value, counter: counter))
        }
        let long = [UInt8](repeating: 1, count: 401)
        #expect(await code { try await token.keep(long, as: "head") } == .invalidArgument)
        #expect(await code { try await token.keep([1], as: "other") } == .mechanismUnsupported)
        let manifest = token.manifest
        await token.shutdown()
        tpm.kill()
        try tpm.start()
        let again = try await connected(tpm, manifest)
        #expect(try await again.keptValue("head") == KeptValue(value: [4], counter: counter))
        await again.shutdown()
    }

    @Test func isReadWithItsAuthorizationOnly() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        await token.shutdown()
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvread", [Self.memory]) }
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvwrite", [Self.memory, "-i", tpm.pinFile.path]) }
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvread", [Self.counter]) }
        #expect(throws: Command.Failure.self) { try tpm.tool("tpm2_nvincrement", [Self.counter]) }
        #expect(try tpm.tool("tpm2_nvreadpublic", [Self.counter]).contains("nt=0x1"))
    }

    /// A value that was kept earlier, written back with the right authorization value, is behind the counter; so is one that
    /// is one keeping old, which no crash leaves.
    @Test func anOlderValueWrittenBackIsNotBelieved() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        try await token.keep([1], as: "head")
        let manifest = token.manifest
        await token.shutdown()
        let value = try authorization(tpm)
        let older = tpm.state.path + "/older"
        try tpm.tool("tpm2_nvread", [Self.memory, "-P", "file:\(value)", "-o", older])
        let next = try await connected(tpm, manifest)
        try await next.keep([2], as: "head")
        await next.shutdown()
        try tpm.tool("tpm2_nvwrite", [Self.memory, "-P", "file:\(value)", "-i", older])
        let again = try await connected(tpm, manifest)
        #expect(await code { _ = try await again.keptValue("head") } == .keptValueMismatch)
        #expect(await code { try await again.keep([3], as: "head") } == .keptValueMismatch)
        // An operator who knows why goes on.
        let counter = try await again.keepAnew([4], as: "head")
        #expect(try await again.keptValue("head") == KeptValue(value: [4], counter: counter))
        await again.shutdown()
    }

    /// Between the value and the counter a process may die: read and kept again as if nothing had happened, any number of
    /// times.
    @Test func aValueOneAheadOfItsCounterIsWhatACrashLeaves() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        var counter = try await token.keep([1], as: "head")
        let manifest = token.manifest
        await token.shutdown()
        let value = try authorization(tpm)
        let ahead = tpm.state.path + "/ahead"
        for step in 1...3 as ClosedRange<UInt8> {
            // Memory as `keep` writes it, without the counter that follows.
            let content = try KeptMemory(counter: counter + 1, value: [step]).encoded(name: "head")
            try Data(content + [UInt8](repeating: 0, count: 512 - content.count))
                .write(to: URL(fileURLWithPath: ahead))
            try tpm.tool("tpm2_nvwrite", [Self.memory, "-P", "file:\(value)", "-i", ahead])
            let again = try await connected(tpm, manifest)
            #expect(try await again.keptValue("head") == KeptValue(value: [step], counter: counter))
            if step > 1 {
                counter = try await again.keep([9], as: "head")
                #expect(try await again.keptValue("head") == KeptValue(value: [9], counter: counter))
            }
            await again.shutdown()
        }
        // Two ahead is no crash.
        let content = try KeptMemory(counter: counter + 2, value: [1]).encoded(name: "head")
        try Data(content).write(to: URL(fileURLWithPath: ahead))
        try tpm.tool("tpm2_nvwrite", [Self.memory, "-P", "file:\(value)", "-i", ahead])
        let last = try await connected(tpm, manifest)
        #expect(await code { _ = try await last.keptValue("head") } == .keptValueMismatch)
        await last.shutdown()
    }

    /// The owner of the TPM can remove the memory and make it again, even with the right authorization value if he knows
    /// it. It is not taken for one that has nothing to tell.
    @Test func memoryMadeAgainIsNotBelieved() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        try await token.keep([1], as: "head")
        let manifest = token.manifest
        await token.shutdown()
        try tpm.tool("tpm2_nvundefine", [Self.memory])
        let missing = try await connected(tpm, manifest)
        #expect(await code { _ = try await missing.keptValue("head") } == .keptValueMismatch)
        #expect(await code { try await missing.keep([9], as: "head") } == .keptValueMismatch)
        _ = try await missing.keepAnew([9], as: "head")
        #expect(try await missing.keptValue("head").value == [9])
        await missing.shutdown()
        try tpm.tool("tpm2_nvundefine", [Self.memory])
        let value = try authorization(tpm)
        try tpm.tool(
            "tpm2_nvdefine", [Self.memory, "-s", "512", "-a", "authread|authwrite|no_da", "-p", "file:\(value)"])
        let again = try await connected(tpm, manifest)
        #expect(await code { _ = try await again.keptValue("head") } == .keptValueMismatch)
        // An operator who adopts the chain writes it, and is told nothing wrong from then on.
        _ = try await again.keepAnew([2], as: "head")
        #expect(try await again.keptValue("head").value == [2])
        await again.shutdown()
    }

    /// A counter that its owner removed and made again begins above every other that the TPM ever had.
    @Test func aCounterMadeAgainIsNotBelieved() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let before = try await token.keep([1], as: "head")
        let manifest = token.manifest
        await token.shutdown()
        let value = try authorization(tpm)
        let made = [Self.counter, "-s", "8", "-p", "file:\(value)", "-a"]
        for attributes in [nil, "authread|authwrite|no_da|nt=counter", "authread|authwrite|no_da"] {
            for counts in [false, true] where attributes != nil || !counts {
                try tpm.tool("tpm2_nvundefine", [Self.counter])
                if let attributes { try tpm.tool("tpm2_nvdefine", made + [attributes]) }
                if counts, attributes?.contains("counter") == true {
                    try tpm.tool("tpm2_nvincrement", [Self.counter, "-P", "file:\(value)"])
                }
                let again = try await connected(tpm, manifest)
                #expect(await code { _ = try await again.keptValue("head") } == .keptValueMismatch)
                #expect(await code { try await again.keep([2], as: "head") } == .keptValueMismatch)
                await again.shutdown()
                if attributes == nil { try tpm.tool("tpm2_nvdefine", made + ["authread|authwrite|no_da|nt=counter"]) }
            }
        }
        try tpm.tool("tpm2_nvundefine", [Self.counter])
        let adopting = try await connected(tpm, manifest)
        #expect(try await adopting.keepAnew([3], as: "head") > before)
        #expect(try await adopting.keptValue("head").value == [3])
        await adopting.shutdown()
    }

    /// What was kept before there were counters is read, and counted from the next keeping on.
    @Test func aValueOfBeforeTheCounterIsRead() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let manifest = token.manifest
        await token.shutdown()
        try tpm.tool("tpm2_nvundefine", [Self.counter])
        let (value, old) = (try authorization(tpm), tpm.state.path + "/old")
        try Data([0, 7, 4] + Array("head".utf8) + [5, 6] + [UInt8](repeating: 0, count: 503))
            .write(to: URL(fileURLWithPath: old))
        try tpm.tool("tpm2_nvwrite", [Self.memory, "-P", "file:\(value)", "-i", old])
        let again = try await connected(tpm, manifest)
        #expect(try await again.keptValue("head") == KeptValue(value: [5, 6], counter: 0))
        let counter = try await again.keep([7], as: "head")
        #expect(try await again.keptValue("head") == KeptValue(value: [7], counter: counter))
        await again.shutdown()
    }

    @Test func keptMemoryHasOneForm() throws {
        let kept = KeptMemory(counter: 0x0102, value: [7, 8])
        let bytes = try kept.encoded(name: "head")
        #expect(bytes == [2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 7, 4] + Array("head".utf8) + [7, 8])
        #expect(try KeptMemory(decoding: bytes + [0, 0], name: "head") == kept)
        #expect(try KeptMemory(decoding: [UInt8](repeating: 0, count: 512), name: "head").value == nil)
        for broken in [[2], Array(bytes.dropLast()), [3, 255] + bytes, [2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0]] as [[UInt8]] {
            #expect(throws: HSMError.self) { try KeptMemory(decoding: broken, name: "head") }
        }
    }

    private static let memory = "0x181010a"
    private static let counter = "0x181010b"

    private func connected(_ tpm: SoftTPM, _ manifest: TokenManifest?) async throws -> TPMToken {
        let token = tpm.token(manifest)
        try await token.waitUntilReady(timeout: .seconds(120))
        return token
    }

    /// A file with the keys' authorization value, for tpm2-tools.
    private func authorization(_ tpm: SoftTPM) throws -> String {
        let path = tpm.state.path + "/value"
        try Data(PCRPolicyTests.derivedValue).write(to: URL(fileURLWithPath: path))
        return path
    }
}
