/// Packs the words of a key file, each 0 or 1, into bits, and looks at them without a branch or an address that depends
/// on them.
package enum KeyBits {
    /// Packs 64 words into each group of eight bytes, least significant bit first.
    ///
    /// - Parameters:
    ///   - words: 64-bit little-endian words at any alignment.
    ///   - output: Eight bytes for each 64 words, or part of 64.
    /// - Returns: 0 if every word was 0 or 1.
    @inline(never)
    package static func pack(_ words: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> UInt64 {
        let count = words.count / 8
        precondition(output.count == (count + 63) / 64 * 8, "the packed key has eight bytes for each 64 bits")
        var excess: UInt64 = 0
        for group in 0..<output.count / 8 {
            var packed: UInt64 = 0
            for index in 64 * group..<min(64 * group + 64, count) {
                let word = UInt64(littleEndian: words.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
                excess |= word >> 1
                packed |= (word & 1) << UInt64(truncatingIfNeeded: index & 63)
            }
            output.storeBytes(of: packed.littleEndian, toByteOffset: 8 * group, as: UInt64.self)
        }
        return excess
    }

    /// The bits of all words, or-ed: 0 or 1 if every word is.
    @inline(never)
    package static func union(_ words: UnsafeRawBufferPointer) -> UInt64 {
        var union: UInt64 = 0
        for index in 0..<words.count / 8 {
            union |= words.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self).littleEndian
        }
        return union
    }

    /// Whether two copies of a key, of one length, are the same: 0 if they are.
    @inline(never)
    package static func difference(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> UInt8 {
        precondition(left.count == right.count, "copies of one length")
        var difference: UInt8 = 0
        for index in 0..<left.count { difference |= left[index] ^ right[index] }
        return difference
    }

    /// What stands in a packed key behind its bits: 0 if nothing does.
    @inline(never)
    package static func behind(_ packed: UnsafeRawBufferPointer, length: Int) -> UInt64 {
        let used = UInt64(length % 64)
        guard used != 0 else { return 0 }
        return packed.loadUnaligned(fromByteOffset: packed.count - 8, as: UInt64.self).littleEndian >> used
    }
}
