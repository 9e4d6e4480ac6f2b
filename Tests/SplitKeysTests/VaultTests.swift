import Encodings
import Foundation
import Pairing
import SecretMemory
import Testing

@testable import SplitKeys

@Suite(.timeLimit(.minutes(10))) struct VaultTests {
    private static let hash = [UInt8](repeating: 7, count: 32)

    @Test("Changes of one split key at once: the last ones of each kind are all there, and both roles agree")
    func changesAtOnce() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        var options = SplitKeyOptions()
        options.restrictions = ["token_transfers", "token_bridging"]
        let vault = fixture.vault
        for _ in 0..<20 {
            let key = try await vault.createKey(client: wallet.clientID, options: options, caller: caller)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await vault.share(publicKey: key.publicKey, to: "bob", caller: caller) }
                group.addTask {
                    try await vault.setRestrictions(
                        ["token_transfers"], client: wallet.clientID, key: key.publicKey, caller: caller)
                }
                try await group.waitForAll()
            }
            let now = try #require(
                try await vault.keys(client: wallet.clientID, caller: caller).first { $0.publicKey == key.publicKey })
            #expect(now.sharedTo == "bob" && now.policy.restrictions == ["token_transfers"] && now.share != nil)
        }
    }

    @Test("A change of a row that is another one by now is a conflict, and brings no removed row back")
    func changesOfOtherRows() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        let key = try await fixture.vault.createKey(
            client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
        let store = fixture.vault.store
        let name = Hexadecimal.encode(key.publicKey)
        let read = try #require(try await store.split(publicKey: name))
        var (shared, revoked) = (read, read)
        shared.sharedTo = "bob"
        revoked.isRevoked = true
        try await store.put(revoked, insteadOf: read)
        #expect(await code { try await store.put(shared, insteadOf: read) } == .conflict)
        #expect(await code { try await store.put(read, insteadOf: nil) } == .conflict)
        #expect(try await store.split(publicKey: name)?.isRevoked == true)
        try await store.remove(publicKey: name)
        #expect(await code { try await store.put(shared, insteadOf: revoked) } == .conflict)
        #expect(try await store.split(publicKey: name) == nil)
    }

    @Test(arguments: SplitSuite.allCases) func bothHalvesMakeTheWalletsSignature(_ suite: SplitSuite) async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: suite, caller: caller)
        #expect(try WalletName.clientID(of: wallet.clientKey) == wallet.clientID)
        var options = SplitKeyOptions()
        options.suite = suite
        for _ in 0..<2 {
            let key = try await fixture.vault.createKey(client: wallet.clientID, options: options, caller: caller)
            #expect(try suite.sum(key.publicKey, key.peerKey) == wallet.clientKey)
            #expect(try suite.publicKey(of: try #require(key.share), operand: "share") == key.publicKey)
            switch suite {
            case .bls0chain:
                let result = try await fixture.authority.cosign(try fixture.message(Self.hash, key))
                #expect(
                    BLS0Chain.verify(
                        try BN254.G1Point(encoded: result.signature), message: Self.hash,
                        publicKey: try BN254.G2Point(encoded: wallet.clientKey)))
            case .bls12381MinSig:
                let message = BLSBNP256.splitMessage(purpose: "msg", Self.hash)
                let half = try #require(key.share).withUnsafeBytes {
                    try BLSMinSig.sign(message, tag: BLSMinSig.basicTag, secretKey: $0).compressed
                }
                let result = try await fixture.authority.cosign(
                    CosignRequest(
                        peerKey: key.publicKey, share: half,
                        payload: .message(hash: Self.hash, clientID: wallet.clientID), user: nil, requestID: "r"))
                #expect(
                    BLSMinSig.verify(
                        try BLS12381.G1Point(compressed: result.signature), message: message, tag: BLSMinSig.basicTag,
                        publicKey: try BLS12381.G2Point(compressed: wallet.clientKey)))
            case .blsTPM:
                let message = try BLSBNP256.HashedMessage(BLSBNP256.splitMessage(purpose: "msg", Self.hash))
                let half = try #require(key.share).withUnsafeBytes { try BLSBNP256.sign(message, secretKey: $0) }
                func request(_ share: [UInt8]) -> CosignRequest {
                    CosignRequest(
                        peerKey: key.publicKey, share: share,
                        payload: .message(hash: Self.hash, clientID: wallet.clientID), user: nil, requestID: "r")
                }
                let result = try await fixture.authority.cosign(request(half.compressed))
                #expect(
                    BLSBNP256.verify(
                        try BNP256.G1Point(compressed: result.signature), message: message,
                        publicKey: .init(try BNP256.G2Point(compressed: wallet.clientKey))))
                let wrong = request((half + .generator).compressed)
                #expect(await code { _ = try await fixture.authority.cosign(wrong) } == .shareInvalid)
                fixture.wholePoints.beFaulty(true)
                #expect(await code { _ = try await fixture.authority.cosign(request(half.compressed)) } == .faulty)
                fixture.wholePoints.beFaulty(false)
            default: Issue.record("no check of the suite \(suite)")
            }
        }
        #expect(try await fixture.vault.keys(client: wallet.clientID, caller: caller).count == 2)
    }

    @Test func aStoredKeyIsKnownByItsClientID() async throws {
        let fixture = try SplitFixture()
        // Vector `src-mnemonic-02` of the split-key specification.
        let secret = try #require(
            Hexadecimal.decode("04e57640c99339b7ca75e880722788d5d18d5127b37deabcab0ad39e40b84b1e", .either))
        func key() throws -> SharedSecret {
            SharedSecret(try SecretBytes.make(count: 32) { $0.copyBytes(from: secret) })
        }
        let wallet = try await fixture.vault.store(try key(), suite: .bls0chain, caller: fixture.caller())
        #expect(wallet.clientID == "48f28b641e4e14764c7d3906b4743e8ef8c281259138e338298fbb7eca9d0b5b")
        let again = try await fixture.vault.store(try key(), suite: .bls0chain, caller: fixture.caller())
        #expect(again.clientID == wallet.clientID)
        let result = await code {
            _ = try await fixture.vault.store(try key(), suite: .bls0chain, caller: fixture.caller("bob"))
        }
        #expect(result == .conflict)
        let zero = SharedSecret(try SecretBytes.make(count: 32) { _ in })
        let refused = await code {
            _ = try await fixture.vault.store(zero, suite: .bls0chain, caller: fixture.caller())
        }
        #expect(refused == .invalidArgument)
    }

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

    /// Bare hashes go around restrictions.
    @Test func restrictionsEndBareHashesUnlessSomebodySaysOtherwise() async throws {
        for profile in SplitConfiguration.Profile.allCases {
            var configuration = SplitConfiguration()
            configuration.profile = profile
            let fixture = try SplitFixture(configuration)
            let caller = try fixture.caller()
            let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
            func key(_ restrictions: [String], _ allows: Bool?) async throws -> SplitKey {
                var options = SplitKeyOptions()
                options.restrictions = restrictions
                options.allowsMessages = allows
                return try await fixture.vault.createKey(client: wallet.clientID, options: options, caller: caller)
            }
            func signs(_ key: SplitKey) async throws -> Bool {
                let request = try fixture.message(Self.hash, key)
                return await code { _ = try await fixture.authority.cosign(request) } == nil
            }
            let groups = ["token_transfers"]
            #expect(try await signs(try await key(groups, nil)) == false)
            #expect(try await signs(try await key(groups, true)))
            #expect(try await signs(try await key(groups, false)) == false)
            let free = try await key([], nil)
            #expect(try await signs(free) == (profile == .compat))
            // Restrictions that come later count as well, and giving them up gives nothing back.
            let (client, open) = (wallet.clientID, try await key([], true))
            try await fixture.vault.setRestrictions(groups, client: client, key: open.peerKey, caller: caller)
            #expect(try await signs(open) == false)
            try await fixture.vault.setRestrictions([], client: client, key: open.peerKey, caller: caller)
            #expect(try await signs(open) == false)
            try await fixture.vault.setRestrictions(
                groups, allowsMessages: true, client: client, key: open.peerKey, caller: caller)
            #expect(try await signs(open))
            #expect(try await fixture.vault.keys(client: client, caller: caller).count == 5)
        }
    }

    @Test func aShareGivenOnceIsNotKept() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        var options = SplitKeyOptions()
        options.returnsShareOnce = true
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: options, caller: caller)
        #expect(key.share != nil)
        #expect(try await fixture.vault.keys(client: wallet.clientID, caller: caller).map { $0.share == nil } == [true])
        _ = try await fixture.authority.cosign(try fixture.message(Self.hash, key))
    }

    @Test func switchesOfAKeyHold() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        var options = SplitKeyOptions()
        options.allowsMessages = false
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: options, caller: caller)
        let request = try fixture.message(Self.hash, key)
        #expect(await code { _ = try await fixture.authority.cosign(request) } == .notPermitted)
        options.suite = .bls12381MinSig
        let wrong = options
        #expect(
            await code {
                _ = try await fixture.vault.createKey(client: wallet.clientID, options: wrong, caller: caller)
            } == .invalidArgument)
        options = SplitKeyOptions()
        options.expiresAt = 1
        let past = options
        #expect(
            await code {
                _ = try await fixture.vault.createKey(client: wallet.clientID, options: past, caller: caller)
            } == .invalidArgument)
    }

    @Test func keysBornHereHaveTheirHashesComputedAgainAndTheirGroupsBound() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        var options = SplitKeyOptions()
        options.restrictions = ["allocation_storage_operations"]
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: options, caller: caller)
        var transaction = SplitTransaction(
            hash: Self.hash, clientID: wallet.clientID, publicKey: Hexadecimal.encode(wallet.clientKey),
            receiver: "6dba10422e368813802877a85039d3985d96760ed844092319743fb3a76712d7", value: 0, nonce: 1,
            createdAt: 1, data: "{\"name\":\"cancel_allocation\",\"input\":null}", function: "cancel_allocation")
        func cosign() async -> SplitKeyError.Code? {
            let transaction = transaction
            return await code {
                _ = try await fixture.authority.cosign(
                    CosignRequest(
                        peerKey: key.publicKey, share: try SplitFixture.half(transaction.hash, key),
                        payload: .transaction(transaction), user: nil, requestID: "r"))
            }
        }
        #expect(await cosign() == .invalidArgument)
        transaction.hash = try transaction.computedHash()
        #expect(await cosign() == nil)
        transaction.receiver = wallet.clientID
        transaction.hash = try transaction.computedHash()
        #expect(await cosign() == .notPermitted)
    }

    @Test func deletionEndsEverySplitKey() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
        try await fixture.vault.delete(client: wallet.clientID, caller: caller)
        #expect(await code { try await fixture.vault.delete(client: wallet.clientID, caller: caller) } == .notFound)
        let request = try fixture.message(Self.hash, key)
        #expect(await code { _ = try await fixture.authority.cosign(request) } == .notFound)
        let empty = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        try await fixture.vault.delete(client: empty.clientID, caller: caller)
    }

    @Test func aRevokedKeyStaysListedAndTheOthersSign() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let wallet = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller)
        let first = try await fixture.vault.createKey(
            client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
        let second = try await fixture.vault.createKey(
            client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
        try await fixture.vault.revoke(client: wallet.clientID, publicKey: first.publicKey, caller: caller)
        let keys = try await fixture.vault.keys(client: wallet.clientID, caller: caller)
        #expect(Set(keys.filter(\.isRevoked).map(\.publicKey)) == [first.publicKey])
        let request = try fixture.message(Self.hash, first)
        #expect(await code { _ = try await fixture.authority.cosign(request) } == .revoked)
        _ = try await fixture.authority.cosign(try fixture.message(Self.hash, second))
        #expect(
            await code { try await fixture.vault.share(publicKey: first.publicKey, to: "bob", caller: caller) }
                == .revoked)
    }

    @Test func aVaultWithoutItsAuditChainDoesNothing() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        fixture.chain.beFull(true)
        #expect(
            await code { _ = try await fixture.vault.createWallet(suite: .bls0chain, caller: caller) }
                == .storageUnavailable)
        fixture.chain.beFull(false)
        #expect(try await fixture.vault.wallets(caller: caller).isEmpty)
    }
}
