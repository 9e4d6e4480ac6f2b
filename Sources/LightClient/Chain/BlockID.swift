/// Which block a vote is for: the hash of its header and how the whole block was cut into parts.
public struct BlockID: Sendable, Hashable {
    /// 32 bytes, or none for no block.
    public let hash: [UInt8]
    public let partCount: UInt32
    /// 32 bytes, or none for no block.
    public let partsHash: [UInt8]

    /// No block: what the first header has before it, and what a vote for nil is for.
    public static let none = BlockID(unchecked: [], 0, [])

    /// - Throws: `.malformed` for a hash that has neither 32 bytes nor none.
    public init(hash: [UInt8], partCount: UInt32, partsHash: [UInt8]) throws(LightClientError) {
        for hash in [hash, partsHash] where !hash.isEmpty && hash.count != ChainLimits.hashLength {
            throw .malformed("a hash of a block id must have 32 bytes or none")
        }
        self.init(unchecked: hash, partCount, partsHash)
    }

    private init(unchecked hash: [UInt8], _ partCount: UInt32, _ partsHash: [UInt8]) {
        self.hash = hash
        self.partCount = partCount
        self.partsHash = partsHash
    }

    /// tendermint.types.BlockID and CanonicalBlockID, whose bytes are the same.
    var message: [UInt8] {
        let parts = ProtobufWriter.writing {
            $0.number(1, UInt64(partCount))
            $0.bytes(2, partsHash)
        }
        return ProtobufWriter.writing {
            $0.bytes(1, hash)
            $0.message(2, parts)
        }
    }
}
