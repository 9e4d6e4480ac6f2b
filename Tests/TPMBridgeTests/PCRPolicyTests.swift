import Foundation
import TPMBridge
import TestSupport
import Testing
import Token

/// Keys that work in approved states of the machine only. Register 12 stands for any; a power cycle puts it back.
@Suite(.timeLimit(.minutes(10))) struct PCRPolicyTests {
    let context = Array("a context".utf8)
    static let selection = PCRSelection(.sha256, [7, 12])

    func configuration(
        _ tpm: SoftTPM, _ policies: MemoryPolicies, _ manifest: TokenManifest? = nil
    ) -> TPMConfiguration {
        var configuration = tpm.configuration(manifest: manifest)
        configuration.address.registers = Self.selection
        configuration.policies = policies
        return configuration
    }

    func started(_ configuration: TPMConfiguration) -> TPMToken {
        let token = TPMToken(configuration: configuration)
        token.start()
        return token
    }

    func provisioned(_ tpm: SoftTPM, _ policies: MemoryPolicies) async throws -> TPMToken {
        let token = started(configuration(tpm, policies))
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        return token
    }

    /// What register 12 becomes when it is extended from zeros by `byte` repeated.
    func extended(_ tpm: SoftTPM, by byte: String) throws -> PCRValues {
        let change = String(repeating: byte, count: 32)
        try tpm.tool("tpm2_pcrextend", ["12:sha256=\(change)"])
        let text = try tpm.tool("tpm2_pcrread", ["sha256:12"])
        try tpm.powerCycle()
        return try PCRValues(parsing: text, for: try #require(PCRSelection(.sha256, [12])))
    }

    @Test func everyKeyWorksAndTheValueAloneDoesNothing() async throws {
        let tpm = try SoftTPM()
        let policies = MemoryPolicies()
        let token = try await provisioned(tpm, policies)
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        #expect(text(try await token.open(sealed, under: .rootLock, context: context)) == "kept")
        #expect(try await token.sign(Array("message".utf8), with: .audit).count == 64)
        let key = try await token.generateResident(.p256)
        let mac = try await token.generateResident(.hmacSHA256)
        for _ in 0..<5 {
            #expect(try await token.sign(digest: Array(repeating: 1, count: 32), with: key).count == 64)
            #expect(try await token.mac([1, 2, 3], with: mac).count == 32)
        }
        try await token.keep([1, 2], as: "head")
        #expect(try await token.keptValue("head").value == [1, 2])
        #expect(policies.writes == 1)
        await token.shutdown()
        for number in [1, 2, 3, 4, 6] {
            let shown = try tpm.tool("tpm2_readpublic", ["-c", "0x8101010\(number)"])
            #expect(!shown.contains("userwithauth") && shown.contains("authorization policy"))
        }
        // Whoever has the value itself, without the policy, is refused by the TPM; the same value serves unbound keys.
        let file = tpm.state.path + "/value"
        try Data(Self.derivedValue).write(to: URL(fileURLWithPath: file))
        let refused = #expect(throws: Command.Failure.self) {
            try tpm.tool("tpm2_hmac", ["-c", "0x81010101", "-p", "file:\(file)", tpm.pinFile.path])
        }
        #expect("\(try #require(refused))".lowercased().contains("0x12f"))
    }

    /// HKDF-SHA-256 of the fixture's PIN as FORMATS.md has it, computed elsewhere.
    static let derivedValue: [UInt8] = [
        0x96, 0xfa, 0x69, 0xfe, 0xbf, 0x79, 0x32, 0xe9, 0xc7, 0x17, 0x50, 0x7a, 0x42, 0xae, 0xa4, 0xda,
        0x5b, 0xef, 0xc6, 0x19, 0x5e, 0x09, 0xe4, 0x15, 0x67, 0x23, 0x69, 0x7c, 0x05, 0x21, 0xa5, 0x5b,
    ]

    @Test func anUnplannedChangeIsToldAndHealsWithTheState() async throws {
        let tpm = try SoftTPM()
        let policies = MemoryPolicies()
        let token = try await provisioned(tpm, policies)
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        try tpm.tool("tpm2_pcrextend", ["12:sha256=" + String(repeating: "11", count: 32)])
        let refusal = await code { _ = try await token.open(sealed, under: .rootLock, context: context) }
        #expect(refusal == .pcrMismatch)
        try await token.isRefused(.pcrMismatch)
        let error = try #require(token.health.error)
        #expect(error.message.contains("PCR 12 of sha256") && !error.message.contains("7,"))
        if case .refused = token.health {} else { Issue.record("an operator must act") }
        // A process that starts in the wrong state is told the same.
        await token.shutdown()
        let again = started(configuration(tpm, policies, token.manifest))
        #expect(await code { try await again.waitUntilReady(timeout: .seconds(120)) } == .pcrMismatch)
        #expect(await code { _ = try await again.approve(policies.storedState()) } == .pcrMismatch)
        let lockout = try tpm.tool("tpm2_getcap", ["properties-variable"])
        #expect(lockout.contains("TPM2_PT_LOCKOUT_COUNTER: 0x0"))
        try tpm.powerCycle()
        try await again.waitUntilReady(timeout: .seconds(120))
        #expect(text(try await again.open(sealed, under: .rootLock, context: context)) == "kept")
        await again.shutdown()
    }

    @Test func aPlannedChangeNeedsTheOldStateAndChangesNoKey() async throws {
        let tpm = try SoftTPM()
        // Before anybody looks: the state is another one meanwhile.
        let change = try extended(tpm, by: "22")
        let policies = MemoryPolicies()
        let token = try await provisioned(tpm, policies)
        let manifest = try #require(token.manifest)
        let sealed = try await token.seal(try secret("kept"), under: .rootLock, context: context)
        let key = try await token.generateResident(.p256)
        let old = try #require(policies.record)
        let current = try #require(try await token.pcrPolicy()).current
        let expected = try #require(current.replacing(change))
        #expect(try await token.approve(expected))
        #expect(try await token.approve(expected) == false)
        #expect(policies.writes == 2 && policies.record?.authority == old.authority)
        #expect(try #require(try await token.pcrPolicy()).approved == [current, expected])
        await token.shutdown()

        try tpm.tool("tpm2_pcrextend", ["12:sha256=" + String(repeating: "22", count: 32)])
        let changed = started(configuration(tpm, policies, manifest))
        try await changed.waitUntilReady(timeout: .seconds(120))
        #expect(text(try await changed.open(sealed, under: .rootLock, context: context)) == "kept")
        #expect(try await changed.sign(digest: Array(repeating: 1, count: 32), with: key).count == 64)
        #expect(try await changed.dropOtherApprovals() == 1)
        #expect(try await changed.dropOtherApprovals() == 0)
        await changed.shutdown()

        // A write that was lost leaves the old record, which opens in the old state.
        try tpm.powerCycle()
        let backwards = started(configuration(tpm, policies, manifest))
        #expect(await code { try await backwards.waitUntilReady(timeout: .seconds(120)) } == .pcrMismatch)
        await backwards.shutdown()
        let restored = started(configuration(tpm, MemoryPolicies(old), manifest))
        try await restored.waitUntilReady(timeout: .seconds(120))
        #expect(text(try await restored.open(sealed, under: .rootLock, context: context)) == "kept")
        await restored.shutdown()
    }

    @Test func aChangedRecordOpensNothing() async throws {
        let tpm = try SoftTPM()
        let policies = MemoryPolicies()
        let token = try await provisioned(tpm, policies)
        let manifest = try #require(token.manifest)
        await token.shutdown()
        let good = try #require(policies.record)
        try tpm.tool("tpm2_pcrextend", ["12:sha256=" + String(repeating: "33", count: 32)])
        let now = try PCRValues(
            parsing: try tpm.tool("tpm2_pcrread", ["sha256:7,12"]), for: try #require(Self.selection))

        var forged = good
        forged.approvals[0].values["12"] = now.values[12].map { $0.map { String(format: "%02x", $0) }.joined() }
        var another = good
        another.instance = TokenManifest.makeInstance()
        var empty = good
        empty.approvals = []
        var damaged = good
        damaged.approvals[0].signature += "0"
        var future = good
        future.format = 2
        for record in [forged, another, empty, damaged, future, nil] {
            let stranger = started(configuration(tpm, MemoryPolicies(record), manifest))
            try await stranger.isRefused(.configurationRefused)
            await stranger.shutdown()
        }
    }
}

extension SoftTPM {
    /// Puts every register back to its start.
    func powerCycle() throws {
        kill()
        try start()
    }
}

extension MemoryPolicies {
    /// Some state, for a call that must not get as far as looking at it.
    func storedState() throws -> PCRValues {
        try #require(PCRValues(.sha256, [7: [UInt8](repeating: 0, count: 32), 12: [UInt8](repeating: 1, count: 32)]))
    }
}
