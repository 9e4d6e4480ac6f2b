import Foundation
import GRDB
import Synchronization
import Testing

@testable import Audit

/// The chain tells the epoch of the keystores' database, and allows nothing on a database that has a lower one.
@Suite(.timeLimit(.minutes(10))) struct WatchedStoreTests {
    private final class Store: Sendable {
        let epoch: Mutex<UInt64>

        init(_ epoch: UInt64) { self.epoch = Mutex(epoch) }

        var watched: WatchedStore { WatchedStore(path: "/home/kmsd.sqlite") { self.epoch.withLock { $0 } } }
    }

    private final class Flag: Sendable {
        let value: Mutex<Bool>

        init(_ value: Bool) { self.value = Mutex(value) }
    }

    @Test func aLowerEpochThanToldIsRefused() async throws {
        let fixture = try ChainFixture()
        let store = Store(0)
        var chain = try fixture.open(store: store.watched)
        store.epoch.withLock { $0 = 7 }
        _ = try await chain.record(ChainFixture.event("rotate"))
        await chain.close()

        store.epoch.withLock { $0 = 6 }
        chain = try fixture.open(store: store.watched)
        let refused = await #expect(throws: AuditError.self) { try await chain.record(ChainFixture.event()) }
        #expect(refused?.code == .olderDatabase)
        for word in ["/home/kmsd.sqlite", "epoch is 6", "tells 7", "adopt-database"] {
            #expect(refused?.message.contains(word) == true)
        }
        #expect(chain.problem?.code == .olderDatabase)
        await #expect(throws: AuditError.self) { try await chain.post(ChainFixture.event()) }
        _ = try await chain.record(ChainFixture.event(outcome: .refused))
        // A database that is still older is not adopted; one whose epoch was raised is.
        chain.adoptStore()
        #expect(chain.problem?.code == .olderDatabase)
        store.epoch.withLock { $0 = 8 }
        chain.adoptStore()
        _ = try await chain.record(ChainFixture.event())
        await chain.close()
        #expect(try fixture.records().map(\.storeEpoch) == [0, 7, 7, 7, 8])
        let starts = try fixture.records().filter { $0.kind == .start }.map(\.event)
        #expect(starts.map(\.outcome) == [.allowed, .refused])
        #expect(starts.map(\.reason) == ["ok", "older-database"])
        #expect(try AuditReader(path: fixture.path).verify().finding == nil)
    }

    @Test func aDatabaseThatIsAheadIsWhatACrashLeaves() async throws {
        let fixture = try ChainFixture()
        let store = Store(3)
        await (try fixture.open(store: store.watched)).close()
        store.epoch.withLock { $0 = 4 }
        let chain = try fixture.open(store: store.watched)
        _ = try await chain.record(ChainFixture.event())
        await chain.close()
        #expect(try fixture.records().map(\.storeEpoch) == [3, 4, 4])
    }

    /// Records behind the last checkpoint can be hashed again by whoever writes the file.
    @Test func recordsHashedAgainDoNotLowerIt() async throws {
        let fixture = try ChainFixture()
        let store = Store(5)
        let chain = try fixture.open(store: store.watched)
        _ = try await chain.record(ChainFixture.event())
        await chain.close()
        var record = try #require(try fixture.records().last)
        record.storeEpoch = 4
        try fixture.edit(
            "UPDATE records SET body = ?, hash = ? WHERE idx = 2",
            [Data(record.encoded), Data(try AuditRecord.hash(record.encoded))])
        #expect { try fixture.open(store: store.watched) } throws: { ($0 as? AuditError)?.code == .damaged }
        let finding = try AuditReader(path: fixture.path).verify().finding
        #expect(finding?.code == .storeEpoch && finding?.index == 2)
    }

    /// A database with a seal is told by its name; from then on it is missed, and its epoch is not believed before it is proven.
    @Test func sealedDatabasesAreToldByName() async throws {
        let fixture = try ChainFixture()
        let sealed = Flag(true)
        let unproven = Flag(false)
        let store = Store(2)
        let shares = WatchedStore(
            name: "shares.sqlite", path: "/home/shares.sqlite", epoch: { store.epoch.withLock { $0 } },
            isSealed: { sealed.value.withLock { $0 } }, isUnproven: { unproven.value.withLock { $0 } })
        var chain = try fixture.open()
        chain.watch(shares)
        try await chain.tellStates()
        try await chain.tellStates()
        await chain.close()
        #expect(try fixture.records().map(\.sealed) == [[:], ["shares.sqlite": 2]])
        #expect(try fixture.records().last?.event.operation == "tell-epochs")

        // Waiting for its seal: whatever it says.
        unproven.value.withLock { $0 = true }
        sealed.value.withLock { $0 = false }
        store.epoch.withLock { $0 = 99 }
        chain = try fixture.open()
        chain.watch(shares)
        #expect(chain.problem?.code == .untrusted)
        // Nothing that an operator could mend: the seal is asked in a moment.
        #expect(chain.isStarting)
        _ = try await chain.record(ChainFixture.event(outcome: .refused))
        #expect(try fixture.records().last?.sealed == ["shares.sqlite": 2])
        await chain.settle("shares.sqlite", AuditError(.alteredDatabase, "edited"))
        #expect(chain.problem?.code == .alteredDatabase && !chain.isStarting)
        await chain.close()

        // Without its seal, with the right number: made anew.
        unproven.value.withLock { $0 = false }
        store.epoch.withLock { $0 = 2 }
        chain = try fixture.open()
        chain.watch(shares)
        #expect(chain.problem?.code == .olderDatabase)
        #expect(chain.problem?.message.contains("--database shares.sqlite") == true)
        await chain.close()

        // A jump that no daemon made.
        sealed.value.withLock { $0 = true }
        store.epoch.withLock { $0 = .max }
        chain = try fixture.open()
        chain.watch(shares)
        #expect(chain.problem?.code == .alteredDatabase)
        await chain.close()
        #expect(try AuditReader(path: fixture.path).verify().finding == nil)
        let exported = try fixture.records().map { record in
            try AuditLine.record(record, hash: AuditRecord.hash(record.encoded)).json
        }
        #expect(exported.allSatisfy { AuditLine(json: Array($0.utf8)) != nil })
        #expect(exported.last?.contains("\"stores\":{\"shares.sqlite\":2}") == true)
    }

    @Test func aHeadTellsTheDatabases() throws {
        var head = AuditHead(
            position: AuditPosition(index: 7, hash: [UInt8](repeating: 1, count: 32)), epoch: 3,
            revocations: [UInt8](repeating: 2, count: 32))
        #expect(AuditHead(encoded: head.encoded) == head)
        head.time = 1_767_225_600_000
        head.storeEpoch = 4
        head.sealed = ["vault.sqlite": 9, "kmsd.sqlite": 5]
        #expect(AuditHead(encoded: head.encoded) == head)
        #expect(head.told("kmsd.sqlite") == 5 && head.told("vault.sqlite") == 9 && head.told("shares.sqlite") == 0)
        // One spelling, within what a token keeps.
        #expect(head.encoded.count < 300)
        #expect(AuditHead(encoded: head.encoded + [0]) == nil)
    }

    /// A chain that was begun by a version which told no epoch goes on.
    @Test func recordsOfVersionOneAreRead() async throws {
        let fixture = try ChainFixture()
        await (try fixture.open()).close()
        var record = try #require(try fixture.records().first)
        record.storeEpoch = nil
        try fixture.edit(
            "UPDATE records SET body = ?, hash = ?",
            [Data(record.encoded), Data(try AuditRecord.hash(record.encoded))])
        let store = Store(2)
        let chain = try fixture.open(store: store.watched)
        _ = try await chain.record(ChainFixture.event())
        await chain.close()
        #expect(try fixture.records().map(\.storeEpoch) == [nil, 2, 2])
        #expect(try AuditReader(path: fixture.path).verify().finding == nil)
    }
}
