import Decryption
import Foundation
import GRDB
import Testing

@testable import DecryptionStore

@Suite("Answers are kept for whoever asks again", .timeLimit(.minutes(5)))
struct AnswerTests {
    @Test("An answer comes back under its id, and whoever comes second gets the first one's")
    func anAnswerComesBackUnderItsIDAndWhoeverComesSecondGetsTheFirstOnes() async throws {
        let fixture = try StoreFixture()
        let (store, id) = (fixture.store, StoreFixture.id(1))
        #expect(try await store.answer(id) == nil)
        let first = StoreFixture.answer(1, account: [UInt8](repeating: 8, count: 20))
        #expect(try await store.keep(first, for: id) == first)
        #expect(try await store.keep(StoreFixture.answer(2), for: id) == first)
        #expect(try await store.answer(id) == first)
        #expect(try await store.answer(StoreFixture.id(2)) == nil)
    }

    @Test("Another process finds what was kept, before and after it kept something itself")
    func anotherProcessFindsWhatWasKeptBeforeAndAfterItKeptSomethingItself() async throws {
        let fixture = try StoreFixture()
        _ = try await fixture.store.keep(StoreFixture.answer(1), for: StoreFixture.id(1))
        try fixture.store.close()
        let store = try fixture.opened()
        #expect(try await store.answer(StoreFixture.id(1)) == StoreFixture.answer(1))
        _ = try await store.keep(StoreFixture.answer(2), for: StoreFixture.id(2))
        #expect(try await store.answer(StoreFixture.id(1)) == StoreFixture.answer(1))
        #expect(try await store.keep(StoreFixture.answer(3), for: StoreFixture.id(1)) == StoreFixture.answer(1))
    }

    @Test("After an hour an id is free, whether its row is removed by then or not")
    func afterAnHourAnIDIsFreeWhetherItsRowIsRemovedByThenOrNot() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        for number in 1...3 { _ = try await store.keep(StoreFixture.answer(1), for: StoreFixture.id(number)) }
        fixture.advance(3_600)
        #expect(try await store.answer(StoreFixture.id(1)) == StoreFixture.answer(1))
        fixture.advance(1)
        #expect(try await store.answer(StoreFixture.id(1)) == nil)
        #expect(try await store.keep(StoreFixture.answer(4), for: StoreFixture.id(1)) == StoreFixture.answer(4))
        #expect(try await rows(store) == 1)
        #expect(try await store.answer(StoreFixture.id(1)) == StoreFixture.answer(4))
    }

    @Test("Where there are as many as may be, the oldest go and no other")
    func whereThereAreAsManyAsMayBeTheOldestGoAndNoOther() async throws {
        let fixture = try StoreFixture(mostAnswers: 100)
        let store = fixture.store
        for number in 0..<250 {
            fixture.advance(1)
            _ = try await store.keep(StoreFixture.answer(UInt8(number)), for: StoreFixture.id(number))
            #expect(try await rows(store) <= 100)
        }
        for number in 0..<250 {
            let found = try await store.answer(StoreFixture.id(number))
            #expect(found == (number < 150 ? nil : StoreFixture.answer(UInt8(number))))
        }
    }

    @Test("What was not committed is not kept, and may be kept again")
    func whatWasNotCommittedIsNotKeptAndMayBeKeptAgain() async throws {
        let fixture = try StoreFixture()
        let (store, id) = (fixture.store, StoreFixture.id(1))
        _ = try await store.keep(StoreFixture.answer(9), for: StoreFixture.id(9))
        fixture.failNextCommit()
        await #expect(throws: DecryptionError.self) { try await store.keep(StoreFixture.answer(1), for: id) }
        #expect(try await store.answer(id) == nil)
        #expect(try await store.keep(StoreFixture.answer(2), for: id) == StoreFixture.answer(2))
        #expect(try await store.answer(StoreFixture.id(9)) == StoreFixture.answer(9))
        #expect(store.known.count == 2)
    }

    @Test("Many at once are all kept, each under its own id")
    func manyAtOnceAreAllKeptEachUnderItsOwnID() async throws {
        let fixture = try StoreFixture(mostAnswers: 1_000)
        let store = fixture.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let answer = StoreFixture.answer(UInt8(number))
                    let kept = try await store.keep(answer, for: StoreFixture.id(number))
                    #expect(kept == answer)
                }
            }
            try await group.waitForAll()
        }
        for number in 0..<200 {
            #expect(try await store.answer(StoreFixture.id(number)) == StoreFixture.answer(UInt8(number)))
        }
        #expect(store.known.count == 200)
    }

    @Test("A row that kmsd would not have written is refused, cut anywhere or with more behind it")
    func aRowThatKMSDWouldNotHaveWrittenIsRefusedCutAnywhereOrWithMoreBehindIt() throws {
        let stored = DecryptionStore.encoded(StoreFixture.answer(1))
        #expect(try DecryptionStore.answer(stored: stored) == StoreFixture.answer(1))
        for length in 0..<stored.count {
            #expect(throws: DecryptionError.self) { try DecryptionStore.answer(stored: stored.prefix(length)) }
        }
        #expect(throws: DecryptionError.self) { try DecryptionStore.answer(stored: stored + [0]) }
        let json = Data(#"{"digest":[1],"result":[7]}"#.utf8)
        #expect(throws: DecryptionError.self) { try DecryptionStore.answer(stored: json) }
    }

    @Test("A row that is damaged is told, and the answers beside it come")
    func aRowThatIsDamagedIsToldAndTheAnswersBesideItCome() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        for number in 1...2 { _ = try await store.keep(StoreFixture.answer(1), for: StoreFixture.id(number)) }
        try await store.pool.write { db in
            try db.execute(
                sql: "UPDATE answers SET answer = x'00' WHERE request_id = ?", arguments: [Data(StoreFixture.id(1))])
        }
        await #expect(throws: DecryptionError.self) { try await store.answer(StoreFixture.id(1)) }
        await #expect(throws: DecryptionError.self) {
            try await store.keep(StoreFixture.answer(2), for: StoreFixture.id(1))
        }
        #expect(try await store.answer(StoreFixture.id(2)) == StoreFixture.answer(1))
        #expect(try await store.keep(StoreFixture.answer(3), for: StoreFixture.id(3)) == StoreFixture.answer(3))
    }

    private func rows(_ store: DecryptionStore) async throws -> Int {
        let found = try await store.pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM answers") }
        #expect(found == store.known.count)
        return found ?? 0
    }
}
