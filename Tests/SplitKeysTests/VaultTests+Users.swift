import Encodings
import Foundation
import Pairing
import SecretMemory
import Testing

@testable import SplitKeys

extension VaultTests {
    @Test func othersSeeNothing() async throws {
        let fixture = try SplitFixture()
        let alice = try fixture.caller()
        let bob = try fixture.caller("bob")
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: alice)
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: alice)
        #expect(try await fixture.vault.keys(client: wallet.clientID, caller: bob).isEmpty)
        #expect(try await fixture.vault.wallets(caller: bob).isEmpty)
        let attempts: [() async throws -> Void] = [
            { _ = try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: bob) },
            { try await fixture.vault.revoke(client: wallet.clientID, publicKey: key.publicKey, caller: bob) },
            { try await fixture.vault.delete(client: wallet.clientID, caller: bob) },
            { try await fixture.vault.share(publicKey: key.publicKey, to: "carol", caller: bob) },
            { _ = try await fixture.vault.restrictions(key: key.peerKey, caller: bob) },
            { try await fixture.vault.setRestrictions([], client: wallet.clientID, key: key.peerKey, caller: bob) },
            { _ = try await fixture.authority.lastUsed(client: wallet.clientID, key: key.peerKey, caller: bob) },
        ]
        for attempt in attempts { #expect(await code(attempt) == .notFound) }
    }

    @Test func sharingShowsTheKeyToTheGranteeOnly() async throws {
        let fixture = try SplitFixture()
        let alice = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: alice)
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: alice)
        #expect(
            await code { try await fixture.vault.share(publicKey: key.publicKey, to: "alice", caller: alice) }
                == .invalidArgument)
        try await fixture.vault.share(publicKey: key.publicKey, to: "bob", caller: alice)
        let shared = try await fixture.vault.sharedKeys(caller: fixture.caller("bob"))
        #expect(shared.map(\.publicKey) == [key.publicKey])
        #expect(
            try #require(shared.first?.share).withUnsafeBytes { Array($0) }
                == (try #require(key.share)).withUnsafeBytes { Array($0) })
        #expect(try await fixture.vault.sharedKeys(caller: fixture.caller("carol")).isEmpty)
        // A grant written into the row by hand opens nothing.
        let read = try #require(try await fixture.vault.store.split(publicKey: Hexadecimal.encode(key.publicKey)))
        var row = read
        row.sharedTo = "carol"
        try await fixture.vault.store.put(row, insteadOf: read)
        #expect(try await fixture.vault.sharedKeys(caller: fixture.caller("carol")).isEmpty)
    }

    /// A user whose name differs in the spelling of a letter only is somebody else.
    @Test func usersAreComparedByBytes() async throws {
        let fixture = try SplitFixture()
        let (composed, decomposed) = (try fixture.caller("Zo\u{eb}"), try fixture.caller("Zoe\u{308}"))
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: composed)
        let key = try await fixture.vault.createKey(
            client: wallet.clientID, options: SplitKeyOptions(), caller: composed)
        #expect(try await fixture.vault.keys(client: wallet.clientID, caller: decomposed).isEmpty)
        #expect(try await fixture.vault.wallets(caller: decomposed).isEmpty)
        let attempts: [() async throws -> Void] = [
            {
                _ = try await fixture.vault.createKey(
                    client: wallet.clientID, options: SplitKeyOptions(), caller: decomposed)
            },
            { try await fixture.vault.revoke(client: wallet.clientID, publicKey: key.publicKey, caller: decomposed) },
            { try await fixture.vault.delete(client: wallet.clientID, caller: decomposed) },
            { try await fixture.vault.share(publicKey: key.publicKey, to: "carol", caller: decomposed) },
            { try await fixture.authority.revoke(client: wallet.clientID, peerKey: key.publicKey, caller: decomposed) },
            { try await fixture.authority.delete(client: wallet.clientID, caller: decomposed) },
            {
                try await fixture.authority.setRestrictions(
                    [], client: wallet.clientID, key: key.peerKey, caller: decomposed)
            },
        ]
        for attempt in attempts { #expect(await code(attempt) == .notFound) }
        // He is not the owner, so the key can be shared to him; and then it is his to see, and nobody else's.
        try await fixture.vault.share(publicKey: key.publicKey, to: "Zoe\u{308}", caller: composed)
        #expect(try await fixture.vault.sharedKeys(caller: decomposed).count == 1)
        #expect(try await fixture.vault.sharedKeys(caller: composed).isEmpty)
    }

    @Test func namesOfUsersHaveNoControlCharacters() async throws {
        let fixture = try SplitFixture()
        let alice = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: alice)
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: alice)
        for name in [
            "bob\u{0}", "bob\u{0}x", "\u{0}bob", "bob\n", "bob\u{85}", "bob\u{202e}", "",
            String(repeating: "b", count: 257),
        ] {
            #expect(
                await code {
                    try await fixture.vault.share(publicKey: key.publicKey, to: ExactText(name), caller: alice)
                }
                    == .invalidArgument)
            #expect(await code { _ = try fixture.caller(name) } == .invalidArgument)
        }
        #expect(try await fixture.vault.sharedKeys(caller: fixture.caller("bob")).isEmpty)
    }

    /// One row that does not open is left out where it may be nobody's business, and marked where it is the owner's.
    @Test func aDamagedRowSpoilsNoList() async throws {
        let fixture = try SplitFixture()
        let (alice, bob) = (try fixture.caller(), try fixture.caller("bob"))
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: alice)
        var keys: [SplitKey] = []
        for _ in 0..<3 {
            keys.append(
                try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: alice))
            try await fixture.vault.share(publicKey: keys[keys.count - 1].publicKey, to: "bob", caller: alice)
        }
        let read = try #require(try await fixture.vault.store.split(publicKey: Hexadecimal.encode(keys[1].publicKey)))
        var row = read
        row.sealed[row.sealed.count - 1] ^= 1
        try await fixture.vault.store.put(row, insteadOf: read)
        let shared = try await fixture.vault.sharedKeys(caller: bob)
        #expect(Set(shared.map(\.publicKey)) == [keys[0].publicKey, keys[2].publicKey])
        let own = try await fixture.vault.keys(client: wallet.clientID, caller: alice)
        #expect(own.count == 3)
        for key in own {
            #expect(key.isDamaged == (key.publicKey == keys[1].publicKey) && key.isDamaged == (key.share == nil))
        }
    }
}
