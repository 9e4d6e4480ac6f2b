import EnclaveLock
import Foundation
import GRDB
import TestSupport
import Testing
import WorkingKeys

@testable import Keystores

@Suite("Keystores whose keys are in a vault", .timeLimit(.minutes(10)))
struct VaultTests {
    let fixture: Fixture
    let vaults: MemoryVaults
    let service: KeystoreService
    let location = VaultLocation(url: "https://edv.example/v", capability: Array("{}".utf8))

    init() async throws {
        fixture = try Fixture()
        vaults = MemoryVaults(did: try await fixture.service.createDID())
        service = KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: nil, vaults: vaults,
            configuration: fixture.configuration)
    }

    /// With empty caches, as after a restart.
    func restarted() -> KeystoreService {
        KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: nil, vaults: vaults,
            configuration: fixture.configuration)
    }

    func keystore(_ controller: String = "did:key:alice") async throws -> String {
        try await service.createKeystore(
            controller: controller, protection: .sealed, lock: nil, vault: location, capability: { _ in nil }
        ).id
    }

    func expect(_ code: KMSError.Code, _ body: () async throws -> Void) async {
        let error = await #expect(throws: KMSError.self) { try await body() }
        #expect(error?.code == code, "\(String(describing: error))")
    }

    /// Sealed bytes in the daemon's own database.
    private func sealedHere() async throws -> Int {
        try await fixture.attacker().read { db in
            try Int.fetchOne(db, sql: "SELECT COALESCE(SUM(LENGTH(sealed)), 0) FROM key_versions") ?? -1
        }
    }

    @Test func aKeysWholeLifeWithItsSealedBytesInTheVaultOnly() async throws {
        let keystore = try await keystore()
        let created = try await service.createKey(keystore: keystore, type: "ED25519")
        let signature = try await service.sign(keystore: keystore, key: created.id, message: Samples.message)
        try await restarted().verify(
            keystore: keystore, key: created.id, signature: signature, message: Samples.message)
        #expect(vaults.documents.count == 1)
        let rotated = try await service.rotateKey(keystore: keystore, key: created.id, type: "ED25519")
        #expect(vaults.documents.count == 1)
        let write = try #require(vaults.steps.firstIndex(of: "write \(rotated)"))
        let remove = try #require(vaults.steps.firstIndex(of: "remove \(created.id)"))
        #expect(write < remove)
        try await restarted().verify(
            keystore: keystore, key: rotated, signature: signature, message: Samples.message)
        let imported = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "mine")
        #expect(imported == "mine")
        #expect(try await sealedHere() == 0)
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 10).items.count == 2)
        let destroyed = try await service.destroyKey(keystore: keystore, key: rotated, grace: .zero)
        #expect(destroyed.state == .destroyed)
        #expect(vaults.documents.count == 1)
        await expect(.keyDisabled) {
            _ = try await restarted().sign(keystore: keystore, key: rotated, message: Samples.message)
        }
    }

    @Test func aKeyUsedAMomentAgoNeedsNoVaultAfterARestartItDoes() async throws {
        let keystore = try await keystore()
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        _ = try await service.sign(keystore: keystore, key: key, message: Samples.message)
        vaults.fail(with: MemoryVaults.away)
        _ = try await service.sign(keystore: keystore, key: key, message: Samples.message)
        let restarted = restarted()
        await expect(.upstreamFailed) {
            _ = try await restarted.sign(keystore: keystore, key: key, message: Samples.message)
        }
        // What the daemon knows by itself is told without the vault.
        #expect(try await restarted.key(keystore: keystore, key: key).state == .enabled)
        #expect(try await restarted.disableKey(keystore: keystore, key: key).state == .disabled)
        vaults.fail(with: nil)
        await expect(.keyDisabled) {
            _ = try await restarted.sign(keystore: keystore, key: key, message: Samples.message)
        }
    }

    @Test func aVaultThatFailsLeavesNoKeyNoKeystoreAndNoHalf() async throws {
        let keystore = try await keystore()
        vaults.fail(with: MemoryVaults.away)
        await expect(.upstreamFailed) { _ = try await service.createKey(keystore: keystore, type: "ED25519") }
        await expect(.upstreamFailed) {
            _ = try await service.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "mine")
        }
        await expect(.upstreamFailed) { _ = try await self.keystore("did:key:bob") }
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 10).items.isEmpty)
        #expect(try await service.keystores(controller: nil, after: nil, limit: 10).items.count == 1)
        vaults.fail(with: nil)
        _ = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "mine")
        let old = try await service.createKey(keystore: keystore, type: "AES256GCM").id
        vaults.fail(with: MemoryVaults.away)
        await expect(.upstreamFailed) {
            _ = try await restarted().rotateKey(keystore: keystore, key: old, type: "AES256GCM")
        }
        vaults.fail(with: nil)
        _ = try await restarted().encrypt(keystore: keystore, key: old, message: [1], associatedData: [])
    }

    @Test func aKeyIdThatIsTakenKeepsItsDocument() async throws {
        let keystore = try await keystore()
        _ = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "mine")
        let before = vaults.documents
        await expect(.alreadyExists) {
            _ = try await service.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(seed: [UInt8](repeating: 1, count: 32)),
                keyID: "mine")
        }
        #expect(vaults.documents == before)
    }

    @Test func parallelImportsOfOneIdHaveOneWinnerWhoseKeyItStays() async throws {
        let keystore = try await keystore()
        let winners = await withTaskGroup(of: UInt8?.self) { group in
            for seed in UInt8(1)...16 {
                group.addTask {
                    let key = try? Samples.ed25519(seed: [UInt8](repeating: seed, count: 32))
                    guard let key else { return nil }
                    let id = try? await service.importKey(
                        keystore: keystore, type: "ED25519", pkcs8: key, keyID: "mine")
                    return id == nil ? nil : seed
                }
            }
            var winners: [UInt8] = []
            for await winner in group { if let winner { winners.append(winner) } }
            return winners
        }
        #expect(winners.count == 1)
        _ = try await restarted().sign(keystore: keystore, key: "mine", message: Samples.message)
    }

    @Test func documentsExchangedChangedOfOlderKeysAndOfOtherKeystoresAreRefused() async throws {
        let keystore = try await keystore()
        let first = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "a")
        let name = try #require(vaults.documents.keys.first)
        let earlier = try #require(vaults.documents[name])
        let second = try await service.createKey(keystore: keystore, type: "ED25519").id
        let other = try #require(vaults.documents.keys.first { $0 != name })
        let sound = vaults.documents

        func refused(_ change: (inout [String: [UInt8]]) -> Void) async {
            var documents = sound
            change(&documents)
            vaults.documents = documents
            for key in [first, second]
            where documents[key == first ? name : other] != sound[key == first ? name : other] {
                await expect(.upstreamFailed) {
                    _ = try await restarted().sign(keystore: keystore, key: key, message: Samples.message)
                }
            }
            vaults.documents = sound
        }
        await refused {
            $0[name] = sound[other]
            $0[other] = sound[name]
        }
        await refused { $0[name] = [] }
        await refused { $0[name] = Array("{}".utf8) }
        // The other key's sealed bytes under this key's names.
        var record = try JSONDecoder().decode(VaultedKey.self, from: Data(sound[name] ?? []))
        let foreign = try JSONDecoder().decode(VaultedKey.self, from: Data(sound[other] ?? []))
        record.versions[0].sealed = foreign.versions[0].sealed
        let forged = try record.encoded()
        await refused { $0[name] = forged }
        var mutator = Mutator(seed: 0xED7)
        for _ in 0..<200 {
            let mutated = mutator.mutate(earlier)
            vaults.documents[name] = mutated
            if let signature = try? await restarted().sign(keystore: keystore, key: first, message: Samples.message) {
                // What was changed says nothing about the key.
                vaults.documents = sound
                try await restarted().verify(
                    keystore: keystore, key: first, signature: signature, message: Samples.message)
            }
        }
        vaults.documents = sound
        // The document of a key that was rotated away, offered for a new key of the same id.
        _ = try await service.rotateKey(keystore: keystore, key: first, type: "ED25519")
        _ = try await service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(seed: [UInt8](repeating: 3, count: 32)),
            keyID: "a")
        vaults.documents[name] = earlier
        await expect(.upstreamFailed) {
            _ = try await restarted().sign(keystore: keystore, key: "a", message: Samples.message)
        }
    }
}
