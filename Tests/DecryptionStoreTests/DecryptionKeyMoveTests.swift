import Decryption
import EnclaveLock
import Testing

@testable import DecryptionStore

@Suite("Keys of the decryption API move to another token", .timeLimit(.minutes(5)))
struct DecryptionKeyMoveTests {
    @Test("A form takes the place of the lock key that it was made from, and of no other, and questions see it")
    func aFormTakesThePlaceOfItsLockKeyOnly() async throws {
        let store = try StoreFixture().store
        var key = try StoreFixture.key("one")
        (key.lockKind, key.lockIdentity, key.sealedLockKey) = (.token, "pkcs11:one", [1, 2, 3])
        try await store.insert(key)
        let move = DecryptionKeyMove(store: store, source: "pkcs11:one", target: "pkcs11:two")
        let secret = try #require(try await move.page(after: nil).secrets.first)
        #expect(secret.name == "one" && secret.sealed == [1, 2, 3])
        for other in [(name: "two", sealed: secret.sealed), (name: "one", sealed: [9])] {
            var changed = secret
            (changed.name, changed.sealed) = other
            #expect(try await !move.put([7], insteadOf: changed))
        }
        #expect(try await store.key("one")?.sealedLockKey == [1, 2, 3])
        #expect(try await move.put([7], insteadOf: secret))
        let moved = try #require(try await store.key("one"))
        #expect(moved.sealedLockKey == [7] && moved.lockIdentity == "pkcs11:two")
        #expect(try await move.page(after: nil).secrets.isEmpty)
    }
}
