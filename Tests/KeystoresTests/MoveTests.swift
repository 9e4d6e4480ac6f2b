import EnclaveLock
import Foundation
import Testing

@testable import Keystores

/// Forms for another token take the place of the records that they were made from, and of no others.
@Suite("Moving to another token", .timeLimit(.minutes(5))) struct MoveTests {
    @Test("A DID key that was sealed anew meanwhile, or is gone, stays as it is, and that is said")
    func aDIDKeyThatWasSealedAnewStays() async throws {
        let folder = try Folder()
        let store = try SQLiteKeystoreStore(path: folder.database)
        let move = DIDKeyMove(store: store, source: "pkcs11:one", target: "pkcs11:two")
        #expect(try await !move.put([9], insteadOf: TokenSealedSecret(name: "did:key:gone", sealed: [1], context: [])))
        try await store.insertDIDKey(
            DIDKeyRecord(did: "did:key:z", lockKind: "token", lockIdentity: "pkcs11:one", sealed: [1], createdAt: 1),
            limit: 10)
        let secret = try #require(try await move.page(after: nil).secrets.first)
        var other = secret
        other.sealed = [2]
        #expect(try await !move.put([9], insteadOf: other))
        #expect(try await store.didKey("did:key:z")?.sealed == [1])
        #expect(try await move.put([9], insteadOf: secret))
        let moved = try #require(try await store.didKey("did:key:z"))
        #expect(moved.sealed == [9] && moved.lockIdentity == "pkcs11:two")
        #expect(try await move.page(after: nil).secrets.isEmpty)
    }
}
