import LibCrypto

/// The tree over the parts of a header and over a validator set: SHA-256, leaves and nodes distinguished by a first byte,
/// split at the largest power of two below the count.
///
/// Source: RFC 6962, section 2.1; CometBFT, `crypto/merkle`.
enum MerkleTree {
    /// 32 bytes; the hash of nothing for no leaves.
    static func root(_ leaves: [[UInt8]]) throws(LightClientError) -> [UInt8] {
        guard !leaves.isEmpty else { return try hash([]) }
        var level: [[UInt8]] = []
        level.reserveCapacity(leaves.count)
        for leaf in leaves { level.append(try hash([0] + leaf)) }
        // Pairing from the left, the odd one moving up, gives the same tree as the splits.
        while level.count > 1 {
            var next: [[UInt8]] = []
            next.reserveCapacity((level.count + 1) / 2)
            for index in stride(from: 0, to: level.count - 1, by: 2) {
                next.append(try hash([1] + level[index] + level[index + 1]))
            }
            if level.count % 2 == 1, let odd = level.last { next.append(odd) }
            level = next
        }
        return level[0]
    }

    static func hash(_ bytes: [UInt8]) throws(LightClientError) -> [UInt8] {
        do { return try Digest.sha256(bytes) } catch {
            throw LightClientError(.unavailable, "the library for SHA-256 failed")
        }
    }
}
