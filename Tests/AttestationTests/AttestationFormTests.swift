import Encodings
import LibCrypto
import TestSupport
import Testing
import Token

@testable import Attestation

@Suite(.timeLimit(.minutes(10))) struct AttestationFormTests {
    private static func fixed() throws -> AttestationStatement {
        AttestationStatement(
            instance: String(repeating: "ab", count: 16),
            token: TokenIdentity(label: "t \u{1B}é", serial: "5e/a1", manufacturer: "m", model: "n"),
            auditKey: [1, 2], keystore: "ks", key: "k", keyVersion: 3, keyType: "ED25519", created: 1_767_225_600_123,
            publicKey: [3], fingerprint: [4], protection: "sealed", provenance: "imported",
            evidence: AttestationStatement.Evidence(locks: [AttestationStatement.Lock(kind: "token", identity: "x")]),
            nonce: [5, 6], time: 1_767_225_600_456)
    }

    /// The form must not change: attestations are checked years later.
    @Test func theFormIsGolden() throws {
        let attestation = SignedAttestation(try Self.fixed(), signature: [7])
        let instance = String(repeating: "ab", count: 16)
        #expect(
            attestation.json
                == "{\"signature\":\"07\",\"statement\":{\"audit_key\":\"0102\",\"created\":1767225600123,"
                + "\"evidence\":{\"locks\":[{\"identity\":\"x\",\"kind\":\"token\"}]},\"fingerprint\":\"04\","
                + "\"instance\":\"\(instance)\",\"key\":\"k\",\"key_type\":\"ED25519\",\"key_version\":3,"
                + "\"keystore\":\"ks\",\"nonce\":\"0506\",\"protection\":\"sealed\",\"provenance\":\"imported\","
                + "\"public_key\":\"03\",\"time\":1767225600456,\"token\":{\"label\":\"t \\u001b\\u00e9\","
                + "\"manufacturer\":\"m\",\"model\":\"n\",\"serial\":\"5e/a1\"},\"version\":1}}")
        // SHA-256 of the bytes that are signed, computed by another program from docs/FORMATS.md.
        #expect(Hexadecimal.encode(try Digest.sha256(SignedAttestation.signed(attestation.statement))) == Self.golden)
        #expect(try SignedAttestation(json: Array(attestation.json.utf8)) == attestation)
        #expect(try SignedAttestation(json: Array((attestation.json + "\n").utf8)) == attestation)
    }

    private static let golden = "aa1c51aa2c2a108b79ebb5d9d0e463b9d09246b57360dcebdbc3771108c5974c"

    @Test func everyOtherSpellingIsRefused() throws {
        let forger = try Forger()
        let json = try forger.sign(try forger.statement()).json
        let others = [
            json + "\n\n", " " + json, json.replacing("{\"signature\"", with: "{\"extra\":1,\"signature\""),
            json.replacing(",\"version\":1}", with: ",\"version\":1,\"zone\":1}"),
            json.replacing("\"version\":1}", with: "\"version\":2}"),
            json.replacing("\"version\":1}", with: "\"version\":1.0}"),
            json.replacing("\"key_version\":1,", with: "\"key_version\":1,\"key_version\":1,"),
            json.replacing("\"key_version\":1,", with: ""), json.replacing("resident", with: "\\u0072esident"),
            json.replacing("\"nonce\":\"5a", with: "\"nonce\":\"5A"), "", "null", "{}", "[]",
            String(repeating: "[", count: 60_000), String(repeating: " ", count: 70_000),
        ]
        for other in others {
            #expect(other != json)
            #expect(throws: AttestationError.self) { try SignedAttestation(json: Array(other.utf8)) }
        }
    }

    /// Not one byte can be changed, neither in the form nor in what it holds.
    @Test func everyFlippedByteIsNoticed() throws {
        let forger = try Forger()
        let verifier = try forger.verifier()
        for statement in [try forger.statement(), try forger.onToken(), try forger.sealed("imported")] {
            let bytes = Array(try forger.sign(statement).json.utf8)
            #expect(verifier.verify(try SignedAttestation(json: bytes)).isGood)
            for index in bytes.indices {
                var flipped = bytes
                flipped[index] ^= index.isMultiple(of: 2) ? 1 : 0x20
                guard let read = try? SignedAttestation(json: flipped) else { continue }
                #expect(!verifier.verify(read).isGood, "byte \(index)")
            }
        }
    }

    @Test func mutatedFormsAreRefusedOrMeanWhatTheySay() throws {
        let forger = try Forger()
        let bytes = Array(try forger.sign(try forger.statement()).json.utf8)
        let verifier = try forger.verifier()
        var mutator = Mutator(seed: 61)
        for _ in 0..<1_500 {
            let mutated = mutator.mutate(bytes)
            guard mutated != bytes, let read = try? SignedAttestation(json: mutated) else { continue }
            #expect(Array(read.json.utf8) == mutated || Array((read.json + "\n").utf8) == mutated)
            #expect(read == (try SignedAttestation(json: bytes)) || !verifier.verify(read).isGood)
        }
    }

    /// Every structure of the TPM, changed in any way and signed by the right audit key: no trap, and nothing holds that
    /// the attestation key did not sign.
    @Test func mutatedStructuresOfTheTPMAreRefused() throws {
        let forger = try Forger()
        let honest = try forger.statement()
        let evidence = try forger.evidence()
        var mutator = Mutator(seed: 62)
        var readable = 0
        for _ in 0..<20_000 {
            if (try? TPMPublicArea(mutator.mutate(evidence.publicArea))) != nil { readable += 1 }
            if (try? TPMCertification(mutator.mutate(evidence.attest))) != nil { readable += 1 }
            if (try? TPMSignature(mutator.mutate(evidence.signature))) != nil { readable += 1 }
        }
        #expect(readable > 1000, "most mutations must not fail in front")
        for round in 0..<2_000 {
            var changed = evidence
            switch round % 4 {
            case 0: changed.publicArea = mutator.mutate(evidence.publicArea)
            case 1: changed.attest = mutator.mutate(evidence.attest)
            case 2: changed.signature = mutator.mutate(evidence.signature)
            default: changed.attestationKey = mutator.mutate(evidence.attestationKey)
            }
            guard changed != evidence else { continue }
            var statement = honest
            statement.evidence = AttestationStatement.Evidence(.tpm(changed))
            let check = TPMEvidenceCheck(
                statement: statement, certification: AttestationStatement.Certification(changed), expectedKey: nil)
            #expect(throws: AttestationFinding.self) { try check.run() }
        }
    }
}
