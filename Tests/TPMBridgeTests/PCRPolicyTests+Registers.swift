import Foundation
import TPMBridge
import TestSupport
import Testing
import Token

extension PCRPolicyTests {
    @Test func whetherKeysAreBoundIsDecidedWhenTheyAreMade() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        #expect(try await token.pcrPolicy() == nil)
        #expect(await code { _ = try await token.dropOtherApprovals() } == .invalidArgument)
        let manifest = token.manifest
        await token.shutdown()
        let asking = started(configuration(tpm, MemoryPolicies(), manifest))
        try await asking.isRefused(.configurationRefused)
        await asking.shutdown()
        // A daemon whose URI says nothing of registers is bound all the same.
        let bound = try SoftTPM()
        let policies = MemoryPolicies()
        let maker = try await provisioned(bound, policies)
        var silent = configuration(bound, policies, maker.manifest)
        await maker.shutdown()
        silent.address.registers = nil
        try bound.tool("tpm2_pcrextend", ["12:sha256=" + String(repeating: "44", count: 32)])
        let again = started(silent)
        #expect(await code { try await again.waitUntilReady(timeout: .seconds(120)) } == .pcrMismatch)
        await again.shutdown()
    }

    @Test(arguments: [[16], [23], [0, 16], [7, 16, 23]])
    func registersThatAnybodyMayResetAreRefusedBeforeAnythingIsMade(registers: [Int]) async throws {
        let tpm = try SoftTPM()
        let policies = MemoryPolicies()
        var asking = configuration(tpm, policies)
        asking.address.registers = PCRSelection(.sha256, registers)
        let token = started(asking)
        try await token.waitUntilReady(timeout: .seconds(120))
        do {
            _ = try await token.provision(instance: TokenManifest.makeInstance())
            Issue.record("it was provisioned")
        } catch {
            #expect(error.code == .configurationRefused && error.message.contains("reset"))
            for register in [16, 23] where registers.contains(register) {
                #expect(error.message.contains("\(register)"))
            }
        }
        await token.shutdown()
        #expect(policies.writes == 0)
        #expect(!(try tpm.tool("tpm2_getcap", ["handles-persistent"])).contains("0x"))
    }

    @Test func registersThatNobodyExtendedAreTold() async throws {
        let tpm = try SoftTPM()
        try tpm.tool("tpm2_pcrextend", ["7:sha256=" + String(repeating: "11", count: 32)])
        let token = try await provisioned(tpm, MemoryPolicies())
        let policy = try #require(try await token.pcrPolicy())
        let weakness = try await token.weakness(of: policy.current)
        #expect(weakness.resettable.isEmpty && weakness.resettableElsewhere.isEmpty && weakness.untouched == [12])
        #expect(weakness.warnings.count == 1 && weakness.warnings[0].contains("PCR 12"))
        let ones = try #require(PCRValues(.sha256, [17: [UInt8](repeating: 0xFF, count: 32)]))
        #expect(try await token.weakness(of: ones).untouched == [17])
        let locality = try #require(PCRValues(.sha256, [0: [UInt8](repeating: 0, count: 31) + [3]]))
        #expect(try await token.weakness(of: locality).untouched == [0])
        let extended = [UInt8](repeating: 1, count: 32)
        let other = try #require(PCRValues(.sha256, [16: extended, 22: extended]))
        let weak = try await token.weakness(of: other)
        #expect(weak.resettable == [16] && weak.resettableElsewhere == [22] && weak.untouched.isEmpty)
        await token.shutdown()
    }

    @Test func aClearedTPMIsToldAsAnotherTPMAndNotAsAnotherState() async throws {
        let tpm = try SoftTPM()
        let token = try await provisioned(tpm, MemoryPolicies())
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        try tpm.tool("tpm2_clear", ["-c", "p"])
        let refusal = await code { _ = try await token.open(sealed, under: .rootLock, context: context) }
        #expect(refusal == .tokenMismatch)
        try await token.isRefused(.tokenMismatch)
        await token.shutdown()
    }

    @Test func isSweptWhenProvisioningWasInterrupted() async throws {
        let tpm = try SoftTPM()
        let policies = MemoryPolicies()
        let instance = TokenManifest.makeInstance()
        let first = started(configuration(tpm, policies))
        try await first.waitUntilReady(timeout: .seconds(120))
        _ = try await first.provision(instance: instance)
        await first.shutdown()
        let second = started(configuration(tpm, policies))
        try await second.waitUntilReady(timeout: .seconds(120))
        #expect(try await second.sweep(instance: TokenManifest.makeInstance()).isEmpty)
        #expect(try await second.sweep(instance: instance).count == 8)
        _ = try await second.provision(instance: instance)
        _ = try await second.seal(try secret("x"), under: .rootLock, context: context)
        await second.shutdown()
    }

    @Test func healsAfterAPowerCycleInTheSameState() async throws {
        let tpm = try SoftTPM()
        let token = try await provisioned(tpm, MemoryPolicies())
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        for _ in 0..<3 {
            tpm.kill()
            try tpm.start()
            for _ in 0..<500 {
                if (try? await token.open(sealed, under: .rootLock, context: context)) != nil { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(text(try await token.open(sealed, under: .rootLock, context: context)) == "kept")
        }
        await token.shutdown()
    }
}
