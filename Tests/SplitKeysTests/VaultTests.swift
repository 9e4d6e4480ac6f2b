import Encodings
import Foundation
import Pairing
import SecretMemory
import Testing

@testable import SplitKeys

@Suite(.timeLimit(.minutes(10))) struct VaultTests {
    static let hash = [UInt8](repeating: 7, count: 32)

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
}
