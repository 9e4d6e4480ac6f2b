import Capabilities
import GRDB
import Storage
import Synchronization
import Testing

@testable import Keystores

@Suite("Used signatures that are dated ahead", .timeLimit(.minutes(10)))
struct SpentSignatureTests {
    private static let now = Int64(1_800_000_000)

    /// A clock that nobody sets but the test.
    private final class Steady: Sendable {
        private let shown = Mutex(Duration.zero)
        func pass(_ seconds: Int64) { shown.withLock { $0 += .seconds(seconds) } }
        var elapsed: @Sendable () -> Duration { { self.shown.withLock { $0 } } }
    }

    private func open(_ folder: Folder, _ steady: Steady) throws -> SQLiteKeystoreStore {
        try SQLiteKeystoreStore(path: folder.database, faults: .none, elapsed: steady.elapsed)
    }

    @Test func theyAreThereAfterARestartUntilTheirTimeHasCome() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        let near = SpentSignature(name: [1, 2], created: Self.now + 3)
        let far = SpentSignature(name: [3, 4], created: Self.now + 30)
        try await store.keep(near, now: Self.now)
        try await store.keep(far, now: Self.now)
        try await store.keep(far, now: Self.now)
        try store.close()

        let steady = Steady()
        let restarted = try open(folder, steady)
        #expect(Set(try restarted.earlierSignatures(since: Self.now + 1).spent) == [near, far])
        #expect(try restarted.earlierSignatures(since: Self.now + 4).spent == [far])
        // A clock that showed something else then or shows it now has not made them old: only time has.
        try await restarted.keep(SpentSignature(name: [5], created: Self.now + 140), now: Self.now + 100)
        #expect(try await rows(restarted) == 3)
        steady.pass(61)
        try await restarted.keep(SpentSignature(name: [6], created: Self.now + 180), now: Self.now + 161)
        #expect(try await rows(restarted) == 1)
    }

    private func rows(_ store: SQLiteKeystoreStore) async throws -> Int? {
        try await store.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM spent_signatures") }
    }

    @Test("a clock that jumps ahead and is set right forgets none, not even over a restart")
    func aClockThatJumps() async throws {
        let folder = try Folder()
        let steady = Steady()
        let store = try open(folder, steady)
        steady.pass(1_000)
        let captured = SpentSignature(name: [1], created: Self.now + 50)
        try await store.keep(captured, now: Self.now)
        let day = Int64(86_400)
        for (jump, name) in [(day, UInt8(2)), (400 * day, 3), (2 * day, 4)] {
            try await store.keep(SpentSignature(name: [name], created: Self.now + jump + 30), now: Self.now + jump)
            steady.pass(5)
        }
        try await store.keep(SpentSignature(name: [5], created: Self.now + 40), now: Self.now + 15)
        #expect(try store.earlierSignatures(since: Self.now + 16).spent.contains(captured))
        // A minute later its time has come by both clocks.
        steady.pass(60)
        try await store.keep(SpentSignature(name: [6], created: Self.now + 90), now: Self.now + 75)
        #expect(try !store.earlierSignatures(since: Self.now + 16).spent.contains(captured))
    }

    @Test func thereIsABoundAndTimeMakesRoom() async throws {
        let folder = try Folder()
        let steady = Steady()
        let store = try open(folder, steady)
        steady.pass(60)
        try await store.writer.perform { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                    INSERT INTO spent_signatures SELECT CAST(i AS BLOB), ? FROM n
                    """, arguments: [SQLiteKeystoreStore.spentSignatureLimit, Self.now + 10])
        }
        let one = SpentSignature(name: [1], created: Self.now + 20)
        let error = await #expect(throws: KMSError.self) { try await store.keep(one, now: Self.now) }
        #expect(error?.code == .overloaded)
        steady.pass(10)
        try await store.keep(one, now: Self.now + 10)
        #expect(try store.earlierSignatures(since: Self.now + 11).spent == [one])
    }

    @Test func oneThatCannotBeWrittenIsAnError() async throws {
        struct Full: Error {}
        let folder = try Folder()
        let faults = WriteFaults { if $0 == .beforeCommit { throw Full() } }
        let store = try SQLiteKeystoreStore(path: folder.database, queueLimit: 8, faults: faults)
        let spent = SpentSignature(name: [1], created: Self.now + 20)
        let error = await #expect(throws: KMSError.self) { try await store.keep(spent, now: Self.now) }
        #expect(error?.code == .storageUnavailable)
    }
}
