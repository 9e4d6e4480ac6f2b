import Foundation
import Testing

@testable import InclusionProofs

@Suite("Proofs of Ethereum's tries and the wrappers of proofs", .timeLimit(.minutes(10)))
struct EthereumProofTests {
    private static func list(_ contract: [UInt8]) throws -> AccessList {
        try AccessList(contract: contract, base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0)
    }

    private static func json(_ object: Any) throws -> [UInt8] {
        [UInt8](try JSONSerialization.data(withJSONObject: object))
    }

    /// One permission of the strangers' file, and what `eth_getProof` says of it.
    private static func cases() throws -> (root: [UInt8], cases: [VectorFile.Object]) {
        let file = try VectorFile.read("strangers-eth-mpt.json")
        return (try file.hex("state_root"), try file.objects("cases"))
    }

    private static func permission(_ item: VectorFile.Object) throws -> AccessList.Permission {
        try item.text("permission") == "decrypt" ? .decrypt : .reencrypt(account: item.hex("account"))
    }

    private static func verify(
        _ answer: VectorFile.Object, _ item: VectorFile.Object, root: [UInt8]
    ) throws {
        let list = try list(answer.hex("address"))
        try AccountProof(json(answer)).verify(
            contract: list.contract, slot: list.slot(permission(item), handle: item.hex("handle")),
            value: AccessList.granted, root: root)
    }

    @Test("Strangers' proofs are judged as they say")
    func strangersProofsAreJudgedAsTheySay() throws {
        let (root, cases) = try Self.cases()
        var granted = 0
        for item in cases where item["permission"] as? String != nil {
            let answer = try item.object("eth_getProof")
            if item["granted"] as? Bool == true {
                try Self.verify(answer, item, root: root)
                granted += 1
            } else {
                #expect(throws: ProofError.self, "\(item["name"] ?? "")") {
                    try Self.verify(answer, item, root: root)
                }
            }
        }
        #expect(granted == 3)
    }

    @Test("No byte of a proof can be changed, no member added, dropped or doubled")
    func noByteOfAProofCanBeChangedNoMemberAddedDroppedOrDoubled() throws {
        let (root, cases) = try Self.cases()
        let item = cases[0]
        let answer = try item.object("eth_getProof")
        try Self.verify(answer, item, root: root)
        let list = try Self.list(answer.hex("address"))
        let slot = try list.slot(.decrypt, handle: item.hex("handle"))
        let bytes = try Self.json(answer)
        func holds(_ bytes: [UInt8], _ root: [UInt8]) -> Bool {
            (try? AccountProof(bytes).verify(
                contract: list.contract, slot: slot, value: AccessList.granted, root: root)) != nil
        }
        #expect(holds(bytes, root))
        for position in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[position] ^= 0x01
            #expect(!holds(changed, root), "byte \(position)")
            #expect(!holds(Array(bytes[..<position]), root))
        }
        #expect(!holds(bytes, root.reversed()))
        #expect(!holds(bytes + [0x7D], root))
        for name in answer.keys {
            var other = answer
            let text = name == "storageProof" ? [] as Any : "0x00" as Any
            other[name] = text
            #expect(!holds(try Self.json(other), root), "\(name)")
        }
        var more = answer
        more["unknown"] = "0x1"
        #expect(!holds(try Self.json(more), root))
        let doubled = Array("{\"address\":\"0x00\",".utf8) + bytes.dropFirst()
        #expect(!holds(doubled, root))
        // Without what only repeats the trie it holds still.
        var less = answer
        for name in ["balance", "nonce", "codeHash"] { less[name] = nil }
        #expect(holds(try Self.json(less), root))
    }

    /// A leaf within its branch, which some programs list and nodes do not.
    @Test("Nodes within their parents may be listed too, and nothing else may be left over")
    func nodesWithinTheirParentsMayBeListedTooAndNothingElseMayBeLeftOver() throws {
        func path(_ nibbles: [UInt8], isLeaf: Bool) -> [UInt8] {
            let first: UInt8 = (isLeaf ? 0x20 : 0) | (nibbles.count % 2 == 1 ? 0x10 | nibbles[0] : 0)
            let rest = Array(nibbles.dropFirst(nibbles.count % 2))
            return [first] + stride(from: 0, to: rest.count, by: 2).map { rest[$0] << 4 | rest[$0 + 1] }
        }
        func text(_ bytes: [UInt8]) -> [UInt8] {
            bytes.count == 1 && bytes[0] < 0x80 ? bytes : [0x80 + UInt8(bytes.count)] + bytes
        }
        func sequence(_ items: [[UInt8]]) -> [UInt8] {
            let body = items.flatMap { $0 }
            return body.count < 56 ? [0xC0 + UInt8(body.count)] + body : [0xF8, UInt8(body.count)] + body
        }
        // Two keys that differ in their last half-byte: 63 shared ones, then a branch with two tiny leaves in it.
        let key = [UInt8](repeating: 0x77, count: 31) + [0x74]
        let nibbles = key.flatMap { [$0 >> 4, $0 & 15] }
        let leaf = sequence([text([0x20]), text([0x01])])
        var branch = [[UInt8]](repeating: [0x80], count: 17)
        (branch[4], branch[9]) = (leaf, leaf)
        let inner = sequence(branch)
        #expect(inner.count < 32)
        let top = sequence([text(path(Array(nibbles.dropLast()), isLeaf: false)), inner])
        let root = Keccak256.hash(top)
        for listed in [[top], [top, inner], [top, inner, leaf]] {
            #expect(try TriePath.value(root: root, key: key, nodes: listed, "the proof") == [1])
        }
        for wrong in [[], [inner], [top, leaf, leaf], [top, inner, leaf, leaf], [top, top], [top, inner, inner]] {
            #expect(throws: ProofError.self) {
                try TriePath.value(root: root, key: key, nodes: wrong, "the proof")
            }
        }
        #expect(throws: ProofError.self) {
            try TriePath.value(root: root, key: Array(key.dropLast()) + [0x75], nodes: [top], "the proof")
        }
    }

    @Test("RLP has one spelling")
    func rlpHasOneSpelling() throws {
        let long: [UInt8] = [0xB8, 56] + Array(repeating: 1, count: 56)
        for right: [UInt8] in [[0x7F], [0x80], [0x81, 0x80], [0xC0], [0xC1, 0x01], long] {
            _ = try RLP(right[...])
        }
        for wrong: [UInt8] in [
            [], [0x81, 0x7F], [0x82, 1], [0xB8, 1, 1], [0xB9, 0, 56] + Array(repeating: 1, count: 56), [0xC2, 0x01],
            [0x01, 0x01], [0xBF], [0xC1, 0x81], [0xC5, 0xC4, 0xC3, 0xC2, 0xC1, 0xC0],
            [0xD2] + Array(repeating: 1, count: 18),
        ] {
            #expect(throws: ProofError.self, "\(wrong)") { try RLP(wrong[...]) }
        }
    }

    @Test("A wrapper must say what the verifier knows, once")
    func aWrapperMustSayWhatTheVerifierKnowsOnce() throws {
        let file = try VectorFile.read("strangers-ics23.json")
        let item = try file.objects("cases")[0]
        #expect(item["granted"] as? Bool == true)
        let (root, contract) = (try file.hex("app_hash"), try file.hex("acl_contract"))
        let (handle, proof) = (try item.hex("handle"), try item.hex("proof_ops"))
        let list = try Self.list(contract)
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            [number << 3 | 2] + Varint.write(UInt64(bytes.count)) + bytes
        }
        let right: [[UInt8]] = [
            field(1, handle), [0x18, 9], field(4, root), field(5, contract), field(6, proof),
        ]
        func judge(_ parts: [[UInt8]], height: UInt64 = 9) throws {
            try PermissionProof(parts.flatMap { $0 }, .gx).verify(
                list, .decrypt, handle: handle, height: height, appHash: root)
        }
        try judge(right)
        #expect(throws: ProofError.self) { try judge(right, height: 8) }
        for (index, part) in right.enumerated() {
            var less = right
            less.remove(at: index)
            #expect(throws: ProofError.self, "without part \(index)") { try judge(less) }
            #expect(throws: ProofError.self, "part \(index) twice") { try judge(right + [part]) }
        }
        for more: [UInt8] in [[0x10, 1], [0x10, 2], [0x38, 1], field(7, [1])] {
            #expect(throws: ProofError.self) { try judge(right + [more]) }
        }
        for (index, number) in [(0, UInt8(1)), (2, 4), (3, 5)] {
            var other = right
            other[index] = field(number, [UInt8](repeating: 9, count: number == 5 ? 20 : 32))
            #expect(throws: ProofError.self) { try judge(other) }
        }
        // Neither form is taken for the other.
        #expect(throws: ProofError.self) { try PermissionProof(proof, .gx) }
        #expect(throws: ProofError.self) { try PermissionProof(right.flatMap { $0 }, .ics23) }
        #expect(throws: ProofError.self) { try PermissionProof(right.flatMap { $0 }, .eth) }
    }
}
