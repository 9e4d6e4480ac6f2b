import Foundation
import Testing

@testable import Keystores

@Suite("DID keys that nothing names", .timeLimit(.minutes(10)))
struct DIDLifeTests {
    private static func vault(naming did: String) throws -> [UInt8] {
        try VaultRecord(
            location: VaultLocation(url: "https://vault.example/a", capability: [1]), invoker: did, recipientKey: [2],
            macKey: [3]
        ).encoded()
    }

    private func name(_ did: String, _ fixture: Fixture) async throws {
        try await fixture.store.insertKeystore(
            KeystoreRecord(
                id: "0123456789abcdefghij", controller: "did:example:a", protection: "sealed", lockRecord: [1],
                capability: nil, createdAt: 1, vault: try Self.vault(naming: did), authenticator: [1]),
            limits: KeystoreLimits(controller: 10))
    }

    @Test func theyEndWithTheirGraceNamedOnesAndYoungOnesStay() async throws {
        let fixture = try Fixture()
        let (named, unnamed) = (try await fixture.service.createDID(), try await fixture.service.createDID())
        try await name(named, fixture)
        #expect(try await fixture.service.sweepDIDKeys() == 0)
        fixture.advance(seconds: 25 * 3600)
        let young = try await fixture.service.createDID()
        #expect(try await fixture.service.sweepDIDKeys() == 1)
        #expect(try await fixture.store.didKey(unnamed) == nil)
        #expect(try await fixture.store.didKey(named) != nil)
        #expect(try await fixture.store.didKey(young) != nil)
    }

    @Test func oneThatARequestIsAboutToNameStays() async throws {
        let fixture = try Fixture()
        let did = try await fixture.service.createDID()
        fixture.service.didsInUse.insert(did)
        fixture.advance(seconds: 25 * 3600)
        #expect(try await fixture.service.sweepDIDKeys() == 0)
        #expect(try await fixture.store.didKey(did) != nil)
    }

    @Test func aVaultRecordThatCannotBeReadRemovesNothing() async throws {
        let fixture = try Fixture()
        let did = try await fixture.service.createDID()
        try await fixture.store.insertKeystore(
            KeystoreRecord(
                id: "0123456789abcdefghij", controller: "did:example:a", protection: "sealed", lockRecord: [1],
                capability: nil, createdAt: 1, vault: [0x7B], authenticator: [1]),
            limits: KeystoreLimits(controller: 10))
        fixture.advance(seconds: 25 * 3600)
        await #expect(throws: KMSError.self) { _ = try await fixture.service.sweepDIDKeys() }
        #expect(try await fixture.store.didKey(did) != nil)
    }

    @Test func whenThereAreTooManyThoseThatNobodyNamedForTenMinutesMakeRoom() async throws {
        var configuration = KeystoreConfiguration()
        configuration.maximumDIDKeys = 3
        let fixture = try Fixture(configuration: configuration)
        for _ in 0..<3 { _ = try await fixture.service.createDID() }
        await #expect(throws: KMSError.self) { _ = try await fixture.service.createDID() }
        fixture.advance(seconds: 601)
        let other = KeystoreService(
            store: fixture.store, locks: fixture.locks, resident: nil, configuration: configuration,
            clock: { Date().addingTimeInterval(601) })
        _ = try await other.createDID()
        _ = try await other.createDID()
    }

    @Test func whatOneKeystoreDatesAheadLeavesRoomForAnothers() async throws {
        let ahead = AheadSignatures(limit: 100, elapsed: { .zero })
        var taken = 0
        while ahead.take("mallory", created: 1_030, now: 1_000) { taken += 1 }
        #expect(taken == 75)
        #expect(ahead.take("alice", created: 1_030, now: 1_000))
        ahead.giveBack("mallory", created: 1_030)
        #expect(!ahead.take("mallory", created: 1_031, now: 1_001))
        #expect(ahead.take("mallory", created: 1_060, now: 1_030), "time makes room")
    }
}
