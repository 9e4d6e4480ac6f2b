/// A path from the root of an Ethereum trie to one value.
///
/// Source: Ethereum Yellow Paper, appendix D.
enum TriePath {
    /// Keys are hashes: 64 half-bytes, so a deeper path is of no such trie.
    static let maximumNodes = 65

    /// The value under `key`; the nodes lead to it and nothing is left over.
    ///
    /// Nodes shorter than 32 bytes lie within their parents; they may be listed too, as some programs do.
    ///
    /// - Parameter key: 32 bytes: the hash of what is looked for.
    static func value(
        root: [UInt8], key: [UInt8], nodes: [[UInt8]], _ subject: StaticString
    ) throws(ProofError) -> [UInt8] {
        guard root.count == 32, key.count == 32 else {
            throw .wrong("\(subject): a root and a hashed key have 32 bytes")
        }
        guard nodes.count <= maximumNodes else { throw .malformed("\(subject) has more nodes than a path") }
        var path = key.flatMap { [$0 >> 4, $0 & 15] }[...]
        var rest = nodes[...]
        var node = try Self.hashed(root[...], &rest, subject)
        while true {
            guard case .list(let items, _) = node else { throw .malformed("\(subject) has a node that is no list") }
            var next: RLP
            switch items.count {
            case 17:
                guard let step = path.popFirst() else { throw absent(subject) }
                next = items[Int(step)]
            case 2:
                guard case .bytes(let prefix) = items[0] else {
                    throw .malformed("\(subject) has a node without a path")
                }
                let (steps, isLeaf) = try Self.steps(prefix, subject)
                guard path.starts(with: steps) else { throw absent(subject) }
                path = path.dropFirst(steps.count)
                if isLeaf {
                    guard path.isEmpty, case .bytes(let value) = items[1], !value.isEmpty else { throw absent(subject) }
                    guard rest.isEmpty else { throw .malformed("\(subject) has a node that no path leads to") }
                    return Array(value)
                }
                guard !steps.isEmpty else { throw .malformed("\(subject) has an extension of no length") }
                next = items[1]
            default: throw .malformed("\(subject) has a node that has neither 2 nor 17 parts")
            }
            switch next {
            case .list(_, let encoded):
                guard encoded.count < 32 else { throw .malformed("\(subject) holds a node that must be hashed") }
                if let listed = rest.first, listed[...] == encoded { rest = rest.dropFirst() }
            case .bytes(let hash):
                guard !hash.isEmpty else { throw absent(subject) }
                next = try Self.hashed(hash, &rest, subject)
            }
            node = next
        }
    }

    private static func hashed(
        _ hash: ArraySlice<UInt8>, _ rest: inout ArraySlice<[UInt8]>, _ subject: StaticString
    ) throws(ProofError) -> RLP {
        guard hash.count == 32 else { throw .malformed("\(subject) names a node by something else than a hash") }
        guard let node = rest.popFirst() else { throw .malformed("\(subject) ends before its value") }
        guard Keccak256.hash(node)[...] == hash else { throw .wrong("\(subject) leads to another root") }
        return try RLP(node[...])
    }

    /// Half-bytes of a path in its compact form.
    private static func steps(
        _ prefix: ArraySlice<UInt8>, _ subject: StaticString
    ) throws(ProofError) -> (steps: [UInt8], isLeaf: Bool) {
        guard let first = prefix.first, first >> 4 < 4 else {
            throw .malformed("\(subject) has a path of an unknown form")
        }
        let (isLeaf, isOdd) = (first & 0x20 != 0, first & 0x10 != 0)
        guard isOdd || first & 15 == 0 else { throw .malformed("\(subject) has a path of an unknown form") }
        return ((isOdd ? [first & 15] : []) + prefix.dropFirst().flatMap { [$0 >> 4, $0 & 15] }, isLeaf)
    }

    private static func absent(_ subject: StaticString) -> ProofError {
        .wrong("\(subject) shows that there is nothing under this key")
    }
}
