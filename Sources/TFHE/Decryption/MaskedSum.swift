/// The one place where key bits meet ciphertexts: the same loads, adds and masks for every key of a length.
///
/// Masks go through memory, between functions that are not inlined: where a compiler sees both the bit and the sum it
/// turns "and with all ones or none" into a jump. `scripts/constant-time` runs this under memcheck with the key's bits
/// undefined.
package enum MaskedSum {
    /// Bytes of scratch memory, which holds 64 bits of the key as masks; whoever lends it wipes it.
    package static let laneByteCount = 512

    /// The body less the sum of the mask's words where the key has a one, mod 2^64.
    ///
    /// - Parameters:
    ///   - words: `length + 1` little-endian words at any alignment; the last one is the body.
    ///   - key: Packed bits, eight bytes for each 64, least significant first.
    ///   - length: Bits of the key.
    ///   - lane: ``laneByteCount`` bytes.
    package static func phase(
        _ words: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, length: Int, lane: UnsafeMutableRawBufferPointer
    ) -> UInt64 {
        precondition(words.count == 8 * (length + 1) && key.count == (length + 63) / 64 * 8, "shapes that the key has")
        precondition(lane.count == laneByteCount, "a lane for 64 masks")
        guard let start = words.baseAddress, let lane = lane.baseAddress else { return 0 }
        var sum: UInt64 = 0
        for group in 0..<key.count / 8 {
            expand(UInt64(littleEndian: key.loadUnaligned(fromByteOffset: 8 * group, as: UInt64.self)), into: lane)
            sum &+= self.sum(start + 512 * group, where: UnsafeRawPointer(lane), count: min(64, length - 64 * group))
        }
        return UInt64(littleEndian: words.loadUnaligned(fromByteOffset: 8 * length, as: UInt64.self)) &- sum
    }

    /// 64 masks of all ones or none.
    @inline(never)
    private static func expand(_ bits: UInt64, into lane: UnsafeMutableRawPointer) {
        var pair = SIMD2<UInt64>(bits, bits &>> 1)
        for index in 0..<32 {
            lane.storeBytes(of: 0 &- (pair & 1), toByteOffset: 16 &* index, as: SIMD2<UInt64>.self)
            pair = pair &>> 2
        }
    }

    /// - Parameter count: Of words, and of masks in the lane; at most 64.
    @inline(never)
    private static func sum(_ words: UnsafeRawPointer, where lane: UnsafeRawPointer, count: Int) -> UInt64 {
        typealias Four = SIMD4<UInt64>
        func masked(_ offset: Int) -> Four {
            let four = words.loadUnaligned(fromByteOffset: offset, as: Four.self)
            return littleEndian(four) & lane.loadUnaligned(fromByteOffset: offset, as: Four.self)
        }
        var (even, odd) = (Four.zero, Four.zero)
        var index = 0
        while index &+ 8 <= count {
            even &+= masked(8 &* index)
            odd &+= masked(8 &* index &+ 32)
            index &+= 8
        }
        var sum = (even &+ odd).wrappedSum()
        while index < count {
            let word = UInt64(littleEndian: words.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self))
            sum &+= word & lane.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self)
            index &+= 1
        }
        return sum
    }

    private static func littleEndian(_ four: SIMD4<UInt64>) -> SIMD4<UInt64> {
        #if _endian(little)
            four
        #else
            SIMD4(four[0].byteSwapped, four[1].byteSwapped, four[2].byteSwapped, four[3].byteSwapped)
        #endif
    }
}
