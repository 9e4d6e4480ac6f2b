import Testing

@testable import InclusionProofs

/// The public test data of ICS-23. What is not accepted here (other hashes, other lengths, other trees, absence) must be
/// refused, so that no case goes by unasked.
@Suite(.timeLimit(.minutes(10))) struct ICS23Tests {
    typealias Proof = ExistenceProof

    @Test(arguments: [
        ("iavl-exist_left", ProofSpec.iavl), ("iavl-exist_right", .iavl), ("tendermint-exist_middle", .tendermint),
    ])
    func existenceProofsLeadToTheirRoots(name: String, spec: ProofSpec) throws {
        let file = try VectorFile.read("ics23-\(name).json")
        let proof = try Proof(commitment: file.hex("proof")[...])
        try spec.check(proof)
        #expect(try proof.key == file.hex("key") && proof.value == file.hex("value"))
        #expect(try proof.root() == file.hex("root"))
        let other: ProofSpec = spec == .iavl ? .tendermint : .iavl
        #expect(throws: ProofError.self) { try other.check(proof) }
    }

    @Test func proofsOfOtherKindsAreRefused() throws {
        for name in ["iavl-nonexist_middle", "tendermint-nonexist_left"] {
            let bytes = try VectorFile.read("ics23-\(name).json").hex("proof")
            let error = #expect(throws: ProofError.self) { try Proof(commitment: bytes[...]) }
            #expect(error?.code == .unsupported)
        }
        let sparse = try Proof(commitment: VectorFile.read("ics23-smt-exist_left.json").hex("proof")[...])
        for spec in [ProofSpec.iavl, .tendermint] { #expect(throws: ProofError.self) { try spec.check(sparse) } }
    }

    @Test func leafOperationsAreThoseOfTheTable() throws {
        var right = 0
        for (name, value) in try VectorFile.read("TestLeafOpData.json") {
            let item = try #require(value as? VectorFile.Object)
            let operation = try item.object("Op")
            let leaf = leaf(operation)
            let ours = leaf.hash == 1 && leaf.length <= 1 && leaf.prehashKey <= 1 && leaf.prehashValue <= 1
            let result = try? leaf.applied(key: item.bytes("Key"), value: item.bytes("Value"))
            if ours, item["IsErr"] as? Bool == false {
                #expect(try result == item.base64("Expected"), "\(name)")
                right += 1
            } else {
                #expect(result == nil, "\(name)")
            }
        }
        #expect(right >= 4)
    }

    @Test func innerOperationsAreThoseOfTheTable() throws {
        var right = 0
        for (name, value) in try VectorFile.read("TestInnerOpData.json") {
            let item = try #require(value as? VectorFile.Object)
            let result = try? inner(item.object("Op")).applied(child: item.bytes("Child"))
            if item["IsErr"] as? Bool == false, try item.object("Op").number("hash") == 1 {
                #expect(try result == item.base64("Expected"), "\(name)")
                right += 1
            } else {
                #expect(result == nil, "\(name)")
            }
        }
        #expect(right >= 3)
    }

    /// The table's cases with the IAVL tree's numbers; others name trees that do not exist here.
    @Test func proofsAreHeldToTheirTree() throws {
        var good = 0
        var bad = 0
        for (name, value) in try VectorFile.read("TestCheckAgainstSpecData.json") {
            let item = try #require(value as? VectorFile.Object)
            let given = try item.object("Spec")
            let numbers = try given.object("inner_spec")
            let isTree =
                numbers.number("child_size") == 33 && numbers.number("min_prefix_length") == 4
                && numbers.number("max_prefix_length") == 12 && given["min_depth"] == nil && given["max_depth"] == nil
            guard isTree else { continue }
            let proof = try self.proof(item.object("Proof"))
            if try item.text("Err").isEmpty {
                // A node of the table has one child only, which no IAVL node has; it is refused here.
                good += (try? ProofSpec.iavl.check(proof)) == nil ? 0 : 1
            } else {
                #expect(throws: ProofError.self, "\(name)") { try ProofSpec.iavl.check(proof) }
                bad += 1
            }
        }
        #expect(good >= 1 && bad >= 4)
    }

    func leaf(_ item: VectorFile.Object) -> Proof.Leaf {
        Proof.Leaf(
            hash: item.number("hash"), prehashKey: item.number("prehash_key"),
            prehashValue: item.number("prehash_value"), length: item.number("length"), prefix: item.bytes("prefix"))
    }

    func inner(_ item: VectorFile.Object) -> Proof.Inner {
        Proof.Inner(hash: item.number("hash"), prefix: item.bytes("prefix"), suffix: item.bytes("suffix"))
    }

    func proof(_ item: VectorFile.Object) throws -> Proof {
        var proof = try Proof([0x1a, 0x00])
        (proof.key, proof.value) = (item.bytes("key"), item.bytes("value"))
        proof.leaf = leaf((try? item.object("leaf")) ?? [:])
        proof.path = ((try? item.objects("path")) ?? []).map(inner)
        return proof
    }
}
