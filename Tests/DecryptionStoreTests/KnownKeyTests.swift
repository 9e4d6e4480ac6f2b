import Decryption
import GRDB
import Testing

@testable import DecryptionStore

@Suite("Keys are known as they are", .timeLimit(.minutes(5)))
struct KnownKeyTests {
    @Test("A change is seen by the next question")
    func aChangeIsSeenByTheNextQuestion() async throws {
        let store = try StoreFixture().store
        #expect(try await store.key("one") == nil)
        try await store.insert(StoreFixture.key("one"))
        try await store.insert(StoreFixture.key("two"))
        for state in [DecryptionKeyRecord.State.disabled, .enabled, .destroyed] {
            #expect(try await store.key("one") != nil)
            try await store.set(state, of: "one")
            #expect(try await store.key("one")?.state == state)
            #expect(try await store.key("two")?.state == .enabled)
        }
        #expect(try await store.key("one")?.envelope == [])
    }

    @Test("A row that was read while another state was written is not believed")
    func aRowThatWasReadWhileAnotherStateWasWrittenIsNotBelieved() throws {
        let known = KnownKeys()
        let before = known.key("one").generation
        known.forget()
        let key = try StoreFixture.key("one")
        known.learn(key, generation: before)
        #expect(known.key("one").key == nil)
        known.learn(key, generation: known.key("one").generation)
        #expect(known.key("one").key == key)
        #expect(known.key("One").key == nil)
    }
}
