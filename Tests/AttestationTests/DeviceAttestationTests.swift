import Encodings
import Foundation
import HSMBridge
import LibCrypto
import TPMBridge
import TestSupport
import TestTokens
import Testing
import Token
import WorkingKeys

@testable import Attestation

/// What real devices say of their keys: a software TPM and SoftHSM.
@Suite(.timeLimit(.minutes(10))) struct DeviceAttestationTests {
    private static let nonce = (0..<32).map { UInt8($0) }
    private static let types: [ResidentAlgorithm: KeyType] = [
        .p256: .ecdsaP256DER, .p384: .ecdsaP384P1363, .p521: .ecdsaP521P1363, .secp256k1: .ecdsaSecp256k1P1363,
        .ed25519: .ed25519, .aes128: .aes128GCM, .aes256: .aes256GCM, .hmacSHA256: .hmacSHA256Tag256,
    ]

    private static func configuration(_ tpm: SoftTPM, _ manifest: TokenManifest? = nil) -> TPMConfiguration {
        TPMConfiguration(
            address: TPMAddress(.socket(tpm.socket), pinSource: "file:\(tpm.pinFile.path)"),
            pinSource: .file(tpm.pinFile.path), manifest: manifest)
    }

    private static func started(_ tpm: SoftTPM, _ manifest: TokenManifest? = nil) async throws -> TPMToken {
        let token = TPMToken(configuration: configuration(tpm, manifest))
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        return token
    }

    /// Issues an attestation of a key with a type that fits it.
    private static func attestation(
        _ token: any ResidentKeyOperations & Signing, _ manifest: TokenManifest, _ key: ResidentKeyBlob,
        nonce: [UInt8] = nonce
    ) async throws -> SignedAttestation {
        let type = try #require(types[key.algorithm])
        let publicKey = try key.publicKey.map { try PublicKeyEncoding.export($0, type: type) }
        return try await AttestationIssuer(token: token, manifest: manifest).issue(
            AttestationIssuer.Subject(
                keystore: "c9o5vqkv5ig3jl0q9m3g", key: "k", keyVersion: 1, keyType: type.rawValue, created: 1,
                publicKey: publicKey, protection: "resident", provenance: "born-in-token",
                evidence: AttestationStatement.Evidence(try await token.attest(key, nonce: nonce))), nonce: nonce)
    }

    private static func verifier(_ manifest: TokenManifest) -> AttestationVerifier {
        var verifier = AttestationVerifier()
        verifier.auditKey = manifest[.audit]?.fingerprint
        verifier.attestationKey = manifest.attestationKey?.fingerprint
        verifier.nonce = nonce
        verifier.requirements = manifest.attestationKey == nil ? [.bornHere] : [.resident, .bornHere]
        return verifier
    }

    @Test func aTPMCertifiesItsKeys() async throws {
        let tpm = try SoftTPM()
        let token = try await Self.started(tpm)
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        #expect(manifest.attestationKey?.fingerprint.count == 64)
        // More keys than the TPM has slots for, each twice.
        var keys: [ResidentKeyBlob] = []
        for algorithm in [ResidentAlgorithm.p256, .p384, .hmacSHA256, .p521] {
            guard token.residentAlgorithms.contains(algorithm) else { continue }
            keys.append(try await token.generateResident(algorithm))
        }
        #expect(keys.count >= 3)
        for key in keys + keys {
            let attestation = try await Self.attestation(token, manifest, key)
            let report = Self.verifier(manifest).verify(attestation)
            #expect(report.isGood, "\(String(describing: report.finding))")
            #expect(report.basis == "tpm" && report.attestationKeyIsExpected)
        }
        for count in [16, 33, 64] {
            let nonce = [UInt8](repeating: 3, count: count)
            var verifier = Self.verifier(manifest)
            verifier.nonce = nonce
            #expect(verifier.verify(try await Self.attestation(token, manifest, keys[0], nonce: nonce)).isGood)
        }
        // Certifying takes nothing away from signing.
        _ = try await token.sign(digest: [UInt8](repeating: 1, count: 32), with: keys[0])
        await token.shutdown()
    }

    @Test func anotherProgramVerifiesTheTPMsWords() async throws {
        let tpm = try SoftTPM()
        let token = try await Self.started(tpm)
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        let attestation = try await Self.attestation(token, manifest, try await token.generateResident(.p256))
        await token.shutdown()
        let folder = try ScratchDirectory.make("attest").path
        let evidence = try #require(attestation.statement.evidence.tpm)
        try Data(evidence.attest.bytes).write(to: URL(fileURLWithPath: folder + "/attest"))
        try Data(evidence.signature.bytes).write(to: URL(fileURLWithPath: folder + "/signature"))
        // The key as its TPM shows it to anybody.
        let handle = try #require(manifest.attestationKey?.id)
        try tpm.tool("tpm2_readpublic", ["-c", handle, "-f", "pem", "-o", folder + "/ak.pem"])
        #expect(try tpm.tool("tpm2_readpublic", ["-c", handle]).contains("restricted|sign"))
        try tpm.tool(
            "tpm2_loadexternal", ["-C", "n", "-G", "ecc", "-u", folder + "/ak.pem", "-c", folder + "/ak.ctx"])
        let arguments = ["-c", folder + "/ak.ctx", "-g", "sha256", "-s", folder + "/signature", "-m"]
        try tpm.tool("tpm2_verifysignature", arguments + [folder + "/attest"])
        #expect(throws: Command.Failure.self) {
            try tpm.tool("tpm2_verifysignature", arguments + [folder + "/signature"])
        }
    }

    /// The other way round: keys and certification by tpm2-tools, read and judged here.
    @Test func anotherProgramsCertificationIsUnderstood() throws {
        let tpm = try SoftTPM()
        let folder = try ScratchDirectory.make("certify").path
        let bound = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth"
        func read(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
        try tpm.tool("tpm2_createprimary", ["-C", "o", "-G", "ecc", "-c", folder + "/primary.ctx"])
        for (name, algorithm, attributes) in [
            ("ak", "ecc256:ecdsa-sha256:null", bound + "|restricted|sign"), ("key", "ecc256", bound + "|sign"),
        ] {
            let file = folder + "/" + name
            try tpm.tool(
                "tpm2_create",
                [
                    "-C", folder + "/primary.ctx", "-G", algorithm, "-a", attributes, "-u", file + ".pub", "-r",
                    file + ".priv",
                ])
            try tpm.tool("tpm2_flushcontext", ["-t"])
            try tpm.tool(
                "tpm2_load",
                ["-C", folder + "/primary.ctx", "-u", file + ".pub", "-r", file + ".priv", "-c", file + ".ctx"])
            try tpm.tool("tpm2_flushcontext", ["-t"])
        }
        try tpm.tool("tpm2_readpublic", ["-c", folder + "/primary.ctx", "-n", folder + "/primary.name"])
        try tpm.tool(
            "tpm2_certify",
            [
                "-c", folder + "/key.ctx", "-C", folder + "/ak.ctx", "-g", "sha256", "-o", folder + "/attest", "-s",
                folder + "/signature",
            ])
        // The tool writes sized structures; these are what is in them.
        let evidence = TPMEvidence(
            publicArea: Array(try read("key.pub").dropFirst(2)), attest: try read("attest"),
            signature: try read("signature"), attestationKey: Array(try read("ak.pub").dropFirst(2)))
        let key = try TPMPublicArea(evidence.publicArea)
        let point = try #require(key.point(curve: 3, width: 32))
        var statement = try Forger().statement()
        statement.token.serial = Hexadecimal.encode(try read("primary.name"))
        statement.publicKey = HexBytes(point)
        // What the tool gives for a nonce.
        statement.nonce = HexBytes([0x00, 0xFF, 0x55, 0xAA])
        let certification = AttestationStatement.Certification(evidence)
        func check(_ statement: AttestationStatement) throws -> String {
            try TPMEvidenceCheck(statement: statement, certification: certification, expectedKey: nil).run()
        }
        #expect(try check(statement).count == 64)
        statement.token.serial = Hexadecimal.encode(key.name)
        #expect(throws: AttestationFinding.self) { try check(statement) }
    }

    @Test func aTPMOfAnEarlierVersionGetsItsKeyOnce() async throws {
        let tpm = try SoftTPM()
        var token = try await Self.started(tpm)
        let whole = try await token.provision(instance: TokenManifest.makeInstance())
        await token.shutdown()
        try tpm.tool("tpm2_evictcontrol", ["-c", try #require(whole.attestationKey?.id)])
        var before = whole
        before.attestationKey = nil
        token = try await Self.started(tpm, before)
        let key = try await token.generateResident(.p256)
        await #expect { _ = try await token.attest(key, nonce: Self.nonce) } throws: {
            ($0 as? HSMError)?.code == .mechanismUnsupported
        }
        let completed = try #require(try await token.completeProvisioning())
        #expect(completed.attestationKey?.fingerprint != whole.attestationKey?.fingerprint)
        #expect(try await token.completeProvisioning() == nil)
        #expect(Self.verifier(completed).verify(try await Self.attestation(token, completed, key)).isGood)
        await token.shutdown()
        // The manifest was not stored, so the key that nobody knows is replaced.
        token = try await Self.started(tpm, before)
        let again = try #require(try await token.completeProvisioning())
        #expect(again.attestationKey?.fingerprint != completed.attestationKey?.fingerprint)
        await token.shutdown()
        // One that is not the manifest's signs nothing.
        token = try await Self.started(tpm, completed)
        await #expect { _ = try await token.attest(key, nonce: Self.nonce) } throws: {
            ($0 as? HSMError)?.code == .keyMismatch
        }
        // And the daemon works as before.
        _ = try await token.sign(digest: [UInt8](repeating: 1, count: 32), with: key)
        await token.shutdown()
    }

    @Test func aStrangersObjectAtTheHandleStays() async throws {
        let tpm = try SoftTPM()
        var token = try await Self.started(tpm)
        var before = try await token.provision(instance: TokenManifest.makeInstance())
        await token.shutdown()
        let handle = try #require(before.attestationKey?.id)
        before.attestationKey = nil
        try tpm.tool("tpm2_evictcontrol", ["-c", handle])
        let folder = try ScratchDirectory.make("stranger").path
        try tpm.tool("tpm2_createprimary", ["-C", "o", "-c", folder + "/p.ctx"])
        try tpm.tool("tpm2_evictcontrol", ["-c", folder + "/p.ctx", handle])
        token = try await Self.started(tpm, before)
        await #expect { _ = try await token.completeProvisioning() } throws: {
            ($0 as? HSMError)?.code == .alreadyProvisioned
        }
        await token.shutdown()
        #expect(try tpm.tool("tpm2_readpublic", ["-c", handle]).contains("decrypt"))
    }

    @Test func softHSMTellsTheTruthAboutUnwrappedKeys() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let manifest = try #require(token.manifest)
        for algorithm in token.residentAlgorithms where Self.types[algorithm] != nil {
            let key = try await token.generateResident(algorithm)
            let attestation = try await Self.attestation(token, manifest, key)
            let report = Self.verifier(manifest).verify(attestation)
            #expect(report.isGood, "\(algorithm): \(String(describing: report.finding))")
            #expect(report.basis == "token" && report.attestationKey == nil)
            let said = try #require(attestation.statement.evidence.pkcs11)
            #expect(said.key.sensitive == true && said.key.extractable == false)
            // It was wrapped once, and the token says so.
            #expect(said.key.local == false && said.key.neverExtractable == false)
            #expect(said.wrappingKey.local == true && said.wrappingKey.neverExtractable == true)
        }
        #expect(token.residentAlgorithms.count >= 4)
        await token.shutdown()
    }
}
