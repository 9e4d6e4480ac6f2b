import LibCrypto
import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct ConstantsTests {
    @Test func votesAreSignedAsCometBFTsOwnTestsSay() throws {
        let votes = try VectorFile.read("constants.json").objects("canonical_vote_sign_bytes")
        for vote in votes {
            let made = SignBytes.make(
                kind: UInt64(try vote.number("type")), height: Int64(try vote.number("height")),
                round: Int64(try vote.number("round")), blockID: .none, time: .zero,
                chainID: try vote.text("chain_id"))
            #expect(try made == vote.hex("hex"))
        }
        #expect(votes.count == 5)
    }

    @Test func theHeaderOfCometBFTsOwnTestsHasItsHash() throws {
        let file = try VectorFile.read("constants.json").object("header_hash")
        #expect(try file.object("header").header().hash() == file.hex("expected"))
    }

    @Test func headersOfStrangersHaveTheirLeavesAndHashes() throws {
        let headers = try VectorFile.read("strangers-cometbft.json").objects("headers")
        for item in headers {
            let header = try item.object("header").header()
            let leaves = try #require(item["leaves"] as? [String])
            #expect(header.leaves == leaves.map { $0.isEmpty ? [] : hex($0) }, "\(item["name"] ?? "")")
            #expect(try header.hash() == item.hex("hash"))
            try header.check()
        }
        #expect(headers.count == 5)
    }

    @Test func votesOfStrangersHaveTheirSignBytesAndSignatures() throws {
        let votes = try VectorFile.read("strangers-cometbft.json").objects("votes")
        for item in votes {
            var object = try item.object("commit")
            object["signatures"] = [try item.object("commit_sig")]
            let commit = try ReplyObject.reading(VectorFile.text(object), "the commit", Commit.names) {
                object throws(LightClientError) in try Commit(object)
            }
            let message = commit.signBytes(0, chainID: try item.text("chain_id"))
            #expect(try message == item.hex("sign_bytes"), "\(item["name"] ?? "")")
            let key = try VerificationKey(curve: .ed25519, publicKey: item.hex("public_key"))
            #expect(try key.verify(commit.signatures[0].signature, message: message))
        }
        #expect(votes.count == 8)
    }

    @Test func validatorsInAnyOrderHaveTheSetsHash() throws {
        let file = try VectorFile.read("strangers-cometbft.json")
        var members = try file.objects("validators_json_order_is_not_canonical")
        let order = try #require(file["canonical_order"] as? [String])
        for _ in members.indices {
            let set = try ["validators": members].validatorSet()
            #expect(try set.hash == file.hex("validators_hash"))
            #expect(set.validators.map(\.address) == order.map(hex))
            members.append(members.removeFirst())
        }
    }

    /// Against the definition by splits, which is written down another way.
    @Test func treesOfAnyCountAreThoseOfTheDefinition() throws {
        func split(_ leaves: ArraySlice<[UInt8]>) throws -> [UInt8] {
            guard leaves.count > 1 else { return try Digest.sha256(leaves.first.map { [0] + $0 } ?? []) }
            var half = 1
            while half * 2 < leaves.count { half *= 2 }
            return try Digest.sha256([1] + split(leaves.prefix(half)) + split(leaves.dropFirst(half)))
        }
        for count in 0...70 {
            let leaves = (0..<count).map { [UInt8](repeating: UInt8($0), count: $0 % 5) }
            #expect(try MerkleTree.root(leaves) == split(leaves[...]), "\(count) leaves")
        }
    }

    func hex(_ text: String) -> [UInt8] { (try? ["": text].hex("")) ?? [] }
}
