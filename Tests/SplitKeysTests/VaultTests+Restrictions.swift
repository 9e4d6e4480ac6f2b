import Encodings
import Foundation
import Pairing
import SecretMemory
import Testing

@testable import SplitKeys

extension VaultTests {
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
