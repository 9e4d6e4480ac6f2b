import Capabilities
import GRDB
import Storage
import Testing

@testable import Keystores

@Suite("Used signatures that are dated ahead", .timeLimit(.minutes(10)))
struct SpentSignatureTests {
    private static let now = Int64(1_800_000_000)

    @Test func theyAreThereAfterARestartUntilTheirTimeHasCome() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        let near = SpentSignature(name: [1, 2], created: Self.now + 3)
        let far = SpentSignature(name: [3, 4], created: Self.now + 30)
        try await store.keep(near, now: Self.now)
        try await store.keep(far, now: Self.now)
        try await store.keep(far, now: Self.now)
        try store.close()

        let restarted = try SQLiteKeystoreStore(path: folder.database)
        #expect(Set(try restarted.earlierSignatures(since: Self.now + 1).spent) == [near, far])
        #expect(try restarted.earlierSignatures(since: Self.now + 4).spent == [far])
        try await restarted.keep(SpentSignature(name: [5], created: Self.now + 40), now: Self.now + 30)
        let rows = try await restarted.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM spent_signatures") }
        #expect(rows == 1)
    }

    @Test func thereIsABoundAndTimeMakesRoom() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
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
