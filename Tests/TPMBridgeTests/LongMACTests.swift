import Foundation
import SecretMemory
import TPMBridge
import TestSupport
import Testing
import Token

/// MACs of more data than one command of a TPM takes.
@Suite(.timeLimit(.minutes(10))) struct LongMACTests {
    private static func data(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    /// Sequences that were begun and neither ended nor flushed would stand among these.
    private func transients(_ tpm: SoftTPM) throws -> Int {
        try tpm.tool("tpm2_getcap", ["handles-transient"]).split(separator: "\n").count { $0.contains("0x80") }
    }

    @Test func everySizeIsWhatAnotherProgramFindsWithTheSameKey() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let key = try await token.generateResident(.hmacSHA256)
        var found: [Int: [UInt8]] = [:]
        for size in [0, 1, 1023, 1024, 1025, 2047, 2048, 2049, 65536, 200_000] {
            found[size] = try await token.mac(Self.data(size), with: key)
            #expect(found[size]?.count == 32)
        }
        await token.forget(key.identifier)
        #expect(try await token.mac(Self.data(2049), with: key) == found[2049])
        await token.shutdown()

        // TPM2B_PUBLIC and TPM2B_PRIVATE, each with its length in front.
        let folder = tpm.state.path
        let middle = 2 + Int(key.wrapped[0]) << 8 + Int(key.wrapped[1])
        try Data(key.wrapped[..<middle]).write(to: URL(fileURLWithPath: folder + "/public"))
        try Data(key.wrapped[middle...]).write(to: URL(fileURLWithPath: folder + "/private"))
        try Data(PCRPolicyTests.derivedValue).write(to: URL(fileURLWithPath: folder + "/value"))
        try tpm.tool(
            "tpm2_load",
            ["-C", "0x81010100", "-u", folder + "/public", "-r", folder + "/private", "-c", folder + "/context"])
        try tpm.tool("tpm2_flushcontext", ["-t"])
        for size in [1, 1024, 1025, 2049, 65536] {
            try Data(Self.data(size)).write(to: URL(fileURLWithPath: folder + "/data"))
            try tpm.tool(
                "tpm2_hmac",
                [
                    "-c", folder + "/context", "-p", "file:\(folder)/value", "-o", folder + "/mac", folder + "/data",
                ])
            try tpm.tool("tpm2_flushcontext", ["-t"])
            #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/mac"))) == found[size])
        }
    }

    @Test func sequencesFindRoomBesideFullSlotsAndLeaveNothingBehind() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let keys = [
            try await token.generateResident(.hmacSHA256), try await token.generateResident(.p256),
            try await token.generateResident(.hmacSHA256), try await token.generateResident(.p384),
        ]
        for round in 0..<10 {
            for key in keys {
                if key.algorithm == .hmacSHA256 {
                    #expect(try await token.mac(Self.data(5000 + round), with: key).count == 32)
                } else {
                    _ = try await token.sign(digest: [UInt8](repeating: 1, count: 32), with: key)
                }
            }
        }
        for key in keys { await token.forget(key.identifier) }
        #expect(try transients(tpm) == 0)
        #expect(token.connections == 2)
        await token.shutdown()
    }

    @Test func boundKeysMakeLongMACsTooAndAStrangersStateEndsThem() async throws {
        let tpm = try SoftTPM()
        var configuration = tpm.configuration()
        configuration.address.registers = PCRSelection(.sha256, [7])
        configuration.policies = MemoryPolicies()
        let token = TPMToken(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        let key = try await token.generateResident(.hmacSHA256)
        let mac = try await token.mac(Self.data(3000), with: key)
        #expect(try await token.mac(Self.data(3000), with: key) == mac)
        await token.forget(key.identifier)
        #expect(try transients(tpm) == 0)
        try tpm.tool("tpm2_pcrextend", ["7:sha256=" + String(repeating: "11", count: 32)])
        #expect(await code { _ = try await token.mac(Self.data(3000), with: key) } == .pcrMismatch)
        await token.shutdown()
    }

    @Test func oneThatTakesLongerThanARequestMayIsEndedAndTheTPMIsNotLost() async throws {
        let tpm = try SoftTPM()
        let manifest: TokenManifest
        do {
            let maker = try await tpm.provisioned()
            manifest = try #require(maker.manifest)
            await maker.shutdown()
        }
        var configuration = tpm.configuration(manifest: manifest)
        configuration.callTimeout = .seconds(1)
        let token = TPMToken(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        let key = try await token.generateResident(.hmacSHA256)
        let endless = [UInt8](repeating: 1, count: 64 << 20)
        #expect(await code { _ = try await token.mac(endless, with: key) } == .deadlineExceeded)
        #expect(token.health.isReady)
        #expect(try await token.mac(Self.data(2000), with: key).count == 32)
        await token.forget(key.identifier)
        #expect(try transients(tpm) == 0)
        await token.shutdown()
    }
}
