import GRDB
import Testing
import Token

@testable import Keystores

@Suite("What may be attested of a key", .timeLimit(.minutes(10))) struct FactsTests {
    private static let nonce = [UInt8](repeating: 7, count: 16)

    @Test func sealedKeysProvenanceVersionAndLocksAsTheyAre() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let made = try await fixture.service.createKey(keystore: keystore, type: "ED25519")
        let brought = try await fixture.service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "brought")
        let slots = try await fixture.service.keystore(keystore).lockSlots
        for (key, provenance) in [(made.id, Provenance.bornInDaemon), (brought, .imported)] {
            let facts = try await fixture.service.facts(keystore: keystore, key: key, nonce: Self.nonce)
            #expect(facts.metadata.provenance == provenance && facts.metadata.protection == .sealed)
            #expect(facts.version.version == 1 && facts.locks == slots && facts.evidence == nil)
            #expect(try await facts.metadata == fixture.service.key(keystore: keystore, key: key))
        }
        let rotated = try await fixture.service.rotateKey(keystore: keystore, key: brought, type: "ED25519")
        let facts = try await fixture.service.facts(keystore: keystore, key: rotated, nonce: Self.nonce)
        #expect(facts.metadata.provenance == .imported && facts.version.version == 2)
        #expect(
            await code { _ = try await fixture.service.facts(keystore: keystore, key: brought, nonce: Self.nonce) }
                == .notFound)
    }

    @Test(
        "An edited record is refused, not attested",
        arguments: ["provenance = 'born-in-daemon'", "public_key = x'00'", "created_at = 1", "state = 'disabled'"])
    func anEditedRecordIsRefusedNotAttested(_ edit: String) async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: nil)
        try await fixture.attacker().write { try $0.execute(sql: "UPDATE keys SET \(edit)") }
        #expect(
            await code { _ = try await fixture.service.facts(keystore: keystore, key: key, nonce: Self.nonce) }
                == .internal)
    }

    @Test(arguments: [false, true])
    func aKeyThatEndsWhileTheDeviceAnswersIsNotAttested(rotates: Bool) async throws {
        let (fixture, token) = (try Fixture(), GatedToken())
        let service = KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: token, configuration: KeystoreConfiguration())
        let keystore = try await service.createKeystore(controller: "alice", protection: .resident).id
        let key = try await service.createKey(keystore: keystore, type: "ECDSAP256IEEEP1363").id
        let before = try await service.facts(keystore: keystore, key: key, nonce: Self.nonce)
        #expect(before.metadata.provenance == .bornInToken && before.evidence != nil)
        await token.gate.close()
        async let outcome = code { _ = try await service.facts(keystore: keystore, key: key, nonce: Self.nonce) }
        await token.gate.holds()
        if rotates {
            _ = try await service.rotateKey(keystore: keystore, key: key, type: "ECDSAP256IEEEP1363")
        } else {
            _ = try await service.disableKey(keystore: keystore, key: key)
        }
        await token.gate.open()
        #expect(await outcome == (rotates ? .notFound : .keyDisabled))
    }
}
