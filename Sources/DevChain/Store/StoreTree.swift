import LibCrypto
import LightClient

/// A module's store as an IAVL tree keeps it, with proofs that a key is there.
///
/// Source: cosmos/iavl, docs/node; ICS-23.
final class StoreTree: Sendable {
    private final class Node: Sendable {
        let hash: [UInt8]
        let height: UInt64
        /// Height, count of leaves and version, before what is hashed.
        let header: [UInt8]
        /// Of a leaf; of another node the first key of its right side.
        let key: [UInt8]
        let value: [UInt8]
        let children: (left: Node, right: Node)?

        init(
            hash: [UInt8], height: UInt64, header: [UInt8], key: [UInt8], value: [UInt8],
            children: (left: Node, right: Node)?
        ) {
            (self.hash, self.height, self.header) = (hash, height, header)
            (self.key, self.value, self.children) = (key, value, children)
        }
    }

    private let top: Node

    var root: [UInt8] { top.hash }

    /// - Parameters:
    ///   - entries: At least one, sorted by key, none twice.
    ///   - version: The height whose block wrote them.
    init(_ entries: [(key: [UInt8], value: [UInt8])], version: Int64) throws(LibCryptoError) {
        top = try Self.build(entries[...], version)
    }

    private static func build(
        _ entries: ArraySlice<(key: [UInt8], value: [UInt8])>, _ version: Int64
    ) throws(LibCryptoError) -> Node {
        let count = entries.count
        if count == 1, let entry = entries.first {
            let header = ProofWriter.signed(0, 1, version)
            return Node(
                hash: try ProofWriter.leafHash(header, entry.key, entry.value), height: 0, header: header,
                key: entry.key, value: entry.value, children: nil)
        }
        let middle = entries.startIndex + ProofWriter.split(count)
        let left = try build(entries[..<middle], version)
        let right = try build(entries[middle...], version)
        let height = max(left.height, right.height) + 1
        let header = ProofWriter.signed(Int64(height), Int64(count), version)
        return Node(
            hash: try Digest.sha256(header + [0x20] + left.hash + [0x20] + right.hash), height: height, header: header,
            key: entries[middle].key, value: [], children: (left, right))
    }

    /// The value of a key and the proof of it; nil if the key is not there: absence is not proven here.
    func proof(of key: [UInt8]) -> (value: [UInt8], commitment: [UInt8])? {
        var steps: [(prefix: [UInt8], suffix: [UInt8])] = []
        var node = top
        while let children = node.children {
            if key.lexicographicallyPrecedes(node.key) {
                steps.append((node.header + [0x20], [0x20] + children.right.hash))
                node = children.left
            } else {
                steps.append((node.header + [0x20] + children.left.hash + [0x20], []))
                node = children.right
            }
        }
        guard node.key == key else { return nil }
        return (
            node.value, ProofWriter.commitment(key: key, value: node.value, leafPrefix: node.header, steps.reversed())
        )
    }
}
