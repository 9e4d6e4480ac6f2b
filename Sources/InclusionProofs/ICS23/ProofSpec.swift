/// What a tree's nodes look like. Without it a proof could pass a node off as a leaf, or choose where a child begins.
///
/// Source: ICS-23, ProofSpec, with the values of the IAVL and the Tendermint tree.
struct ProofSpec: Sendable, Equatable {
    enum Tree: Sendable { case iavl, tendermint }

    let tree: Tree
    /// Bytes of a child inside an inner node, its own length included.
    let childSize: Int
    /// Bytes before the first child.
    let prefixLengths: ClosedRange<Int>

    /// The tree of one module's store.
    static let iavl = ProofSpec(tree: .iavl, childSize: 33, prefixLengths: 4...12)
    /// The tree over the roots of all stores.
    static let tendermint = ProofSpec(tree: .tendermint, childSize: 32, prefixLengths: 1...1)

    private static let leafPrefix: UInt8 = 0x00

    /// The bytes are those of this tree's nodes, each in its place.
    func check(_ proof: ExistenceProof) throws(ProofError) {
        try check(proof.leaf)
        guard proof.path.count <= ExistenceProof.maximumDepth else {
            throw .malformed("the path has more than \(ExistenceProof.maximumDepth) steps")
        }
        for (index, step) in proof.path.enumerated() { try check(step, layer: index + 1) }
    }

    func check(_ leaf: ExistenceProof.Leaf) throws(ProofError) {
        guard leaf.hash == ExistenceProof.sha256, leaf.prehashKey == ExistenceProof.noHash,
            leaf.prehashValue == ExistenceProof.sha256, leaf.length == ExistenceProof.varProto,
            leaf.prefix.first == Self.leafPrefix
        else { throw .wrong("the leaf is not one of this tree") }
        switch tree {
        case .tendermint:
            guard leaf.prefix.count == 1 else { throw .wrong("the leaf's prefix is not one of this tree") }
        case .iavl:
            let header = try Header(leaf.prefix)
            guard header.height == 0, header.size == 1, header.rest == 0 else {
                throw .wrong("the leaf's header is not one of this tree")
            }
        }
    }

    func check(_ step: ExistenceProof.Inner, layer: Int) throws(ProofError) {
        guard step.hash == ExistenceProof.sha256 else {
            throw .wrong("step \(layer) is hashed otherwise than this tree")
        }
        guard step.prefix.first != Self.leafPrefix else { throw .wrong("step \(layer) begins like a leaf") }
        // With a second child on the left, its bytes belong to the prefix; with one on the right, to the suffix.
        let longest = prefixLengths.upperBound + childSize
        guard step.prefix.count >= prefixLengths.lowerBound, step.prefix.count <= longest,
            step.suffix.isEmpty || step.suffix.count == childSize
        else { throw .wrong("step \(layer) has a prefix or suffix of a length that this tree has not") }
        switch tree {
        case .tendermint:
            let right = step.prefix.count == 1 + childSize && step.suffix.isEmpty
            let left = step.prefix.count == 1 && step.suffix.count == childSize
            guard step.prefix.first == 0x01, left || right else {
                throw .wrong("step \(layer) is not a node of this tree")
            }
        case .iavl:
            let header = try Header(step.prefix)
            // What follows the header: the child's length, or a whole child on its left and then the length.
            let left = header.rest == 1 && step.suffix.count == childSize
            let right = header.rest == 34 && step.suffix.isEmpty
            guard header.height >= layer, left || right, step.prefix.last == 0x20 else {
                throw .wrong("step \(layer) is not a node of this tree")
            }
        }
    }

    /// Height, size and version in front of each IAVL node, and how many bytes follow.
    private struct Header {
        let height, size: Int64
        let rest: Int

        init(_ prefix: [UInt8]) throws(ProofError) {
            var bytes = prefix[...]
            var numbers: [Int64] = []
            for _ in 0..<3 {
                guard let (value, count) = Varint.readSigned(bytes), value >= 0 else {
                    throw .wrong("a node's header holds no height, size and version")
                }
                numbers.append(value)
                bytes = bytes.dropFirst(count)
            }
            (height, size, rest) = (numbers[0], numbers[1], bytes.count)
        }
    }
}
