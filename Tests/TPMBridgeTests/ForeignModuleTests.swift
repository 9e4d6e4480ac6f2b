import HSMBridge
import TestSupport
import TestTokens
import Testing
import Token

/// tpm2-pkcs11 over a software TPM as one more PKCS #11 module. It draws random bytes, which the probe proves; it
/// lacks what the daemon is built on, says so for each capability, and gets refusals: there is no weaker path that such a
/// token falls back to.
@Suite(.timeLimit(.minutes(10))) struct ForeignModuleTests {
    /// One test, since the module reads its environment once per process.
    @Test func eachCapabilityPassesOrIsTruthfullyAbsent() async throws {
        let module = try ForeignTPMModule()
        let token = PKCS11Token(configuration: module.configuration())
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        #expect(token.manifest == nil)

        let report = try await token.probe()
        #expect(Set(report.capabilities.map(\.name)) == Set(Self.absent.keys).union(Self.served.keys))
        for capability in report.capabilities {
            let serves = Self.served[capability.name]
            // The probe tries with session keys, which the module makes none of.
            let missing: ProbeReport.Outcome = capability.name == "ed25519" ? .absent : .notProbed
            let expected = serves != nil ? .ok : missing
            #expect(capability.outcome == expected, "\(capability.name)")
            #expect(capability.detail == serves ?? Self.absent[capability.name], "\(capability.name)")
            #expect(serves != nil || capability.rate == nil, "\(capability.name)")
        }
        #expect(try module.objects().isEmpty, "the probe left something on the token")

        let error = await #expect(throws: HSMError.self) {
            try await token.provision(instance: TokenManifest.makeInstance())
        }
        #expect(error?.code == .mechanismUnsupported)
        #expect(error?.message.contains("C_GenerateKey returned CKR_FUNCTION_NOT_SUPPORTED") == true)
        #expect(token.manifest == nil)
        #expect(token.health.isReady, "a refusal is no loss")
        #expect(try module.objects().isEmpty, "something was left on the token")

        #expect(token.residentAlgorithms.isEmpty)
        for algorithm in ResidentAlgorithm.allCases {
            #expect(await code { _ = try await token.generateResident(algorithm) } == .mechanismUnsupported)
        }
        for role in KeyRole.sealing {
            #expect(
                await code { _ = try await token.seal(secret("x"), under: role, context: [1]) } == .keyMissing)
        }
        #expect(await code { _ = try await token.sign([1], with: .audit) } == .keyMissing)
        await token.shutdown()
        withExtendedLifetime(module) {}
    }

    private static let noKeys = "CKR_FUNCTION_NOT_SUPPORTED from C_GenerateKey"

    /// The module makes token objects only, and the probe leaves none behind.
    private static let noSessionKeys = "CKR_ATTRIBUTE_VALUE_INVALID from C_GenerateKeyPair"

    /// What version 1.9 does without keys, and what remark goes with it.
    private static let served: [String: String?] = ["random": nil]

    /// What it answers to the rest. Its own tool makes AES and HMAC keys; by PKCS #11 nobody can.
    private static let absent = [
        "key-history-told": "The token makes no session key to look at.", "root-lock": noKeys, "aes-256-gcm": noKeys,
        "hmac-sha-256": noKeys,
        "kwp-aes": noKeys, "kwp-ec": noKeys, "kwp-ed25519": noKeys,
        "session-copies": noKeys, "unwrap-template-enforced": noKeys, "allowed-mechanisms-enforced": noKeys,
        "ecdsa-p256": noSessionKeys, "ecdsa-p384": noSessionKeys, "ecdsa-p521": noSessionKeys,
        "ecdsa-secp256k1": noSessionKeys, "ecdh-p256": noSessionKeys, "result-key": noSessionKeys,
        "ecdh-bn254": "CKR_ATTRIBUTE_VALUE_INVALID from C_CreateObject",
        "ed25519": "CKR_MECHANISM_INVALID from C_GenerateKeyPair",
    ]
}
