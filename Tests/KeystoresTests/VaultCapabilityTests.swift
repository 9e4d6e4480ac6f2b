import GRDB
import TestSupport
import Testing

@testable import Keystores

@Suite("Vaults whose capability comes later", .timeLimit(.minutes(10)))
struct VaultCapabilityTests {
    private let fixture: Fixture
    private let vaults: MemoryVaults
    private let service: KeystoreService
    private let did: String
    private static let url = "https://edv.example/v"

    init() async throws {
        fixture = try Fixture()
        did = try await fixture.service.createDID()
        vaults = MemoryVaults(did: did)
        service = KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: nil, vaults: vaults,
            configuration: fixture.configuration)
    }

    private func awaiting(_ invoker: String, url: String = url) async throws -> String {
        try await service.createKeystore(
            controller: "did:key:alice", protection: .sealed, lock: nil,
            vault: VaultLocation(url: url, awaitingCapabilityFor: invoker), capability: { _ in nil }
        ).id
    }

    @Test func nothingIsMadeOrCalledBeforeItIsThereAndEverythingWorksAfter() async throws {
        let keystore = try await awaiting(did)
        #expect(try await service.keystore(keystore).vaultURL == Self.url)
        #expect(vaults.steps.isEmpty)
        #expect(await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") } == .invalidArgument)
        #expect(vaults.steps.isEmpty)
        vaults.fail(with: MemoryVaults.away)
        #expect(
            await code { try await service.setVaultCapability(keystore: keystore, capability: [1]) } == .upstreamFailed)
        vaults.fail(with: nil)
        #expect(await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") } == .invalidArgument)
        try await service.setVaultCapability(keystore: keystore, capability: [1])
        let key = try await service.createKey(keystore: keystore, type: "ED25519").id
        #expect(vaults.documents.count == 1)
        let other = KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: nil, vaults: vaults,
            configuration: fixture.configuration)
        _ = try await other.sign(keystore: keystore, key: key, message: Samples.message)
    }

    @Test func itMustBeForTheKeyThatTheKeystoreWasMadeWith() async throws {
        let other = try await fixture.service.createDID()
        let keystore = try await awaiting(other)
        #expect(
            await code { try await service.setVaultCapability(keystore: keystore, capability: [1]) }
                == .invalidArgument)
        #expect(await code { _ = try await awaiting("did:key:z6Mknone#z6Mknone") } == .invalidArgument)
        #expect(await code { _ = try await awaiting(did, url: "ftp://edv.example/v") } == .invalidArgument)
        let plain = try await fixture.keystore()
        #expect(
            await code { try await service.setVaultCapability(keystore: plain, capability: [1]) } == .invalidArgument)
        #expect(
            await code { try await service.setVaultCapability(keystore: "none", capability: [1]) } == .notFound)
    }

    @Test func ofManyAtOnceEachIsStoredOrRefusedAndAUseSeesTheStoredOne() async throws {
        let keystore = try await awaiting(did)
        let stored = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<32 {
                group.addTask {
                    let refusal = await code {
                        try await service.setVaultCapability(keystore: keystore, capability: [UInt8(number)])
                    }
                    #expect(refusal == nil || refusal == .conflict)
                    // Whatever was remembered meanwhile: from here on the keystore has a capability.
                    if refusal == nil {
                        let use = await code { _ = try await service.createKey(keystore: keystore, type: "ED25519") }
                        #expect(use == nil)
                    }
                    return refusal == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(stored > 0)
    }

    @Test func anEditedCapabilityIsRefused() async throws {
        let keystore = try await awaiting(did)
        try await service.setVaultCapability(keystore: keystore, capability: [1])
        try await fixture.attacker().write { db in
            try db.execute(
                sql: "UPDATE keystores SET vault = CAST(REPLACE(CAST(vault AS TEXT), 'AQ==', 'Ag==') AS BLOB)")
        }
        let other = KeystoreService(
            store: fixture.store, lock: fixture.lock, resident: nil, vaults: vaults,
            configuration: fixture.configuration)
        let found = await code { _ = try await other.createKey(keystore: keystore, type: "ED25519") }
        #expect(found == .internal)
    }
}
