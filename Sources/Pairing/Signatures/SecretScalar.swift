/// Secret integers modulo r, read from and written to the caller's memory.
///
/// Only the outcome of a range check is ever branched on. Intermediate words live in registers and on the stack.
enum SecretScalar<Field: PrimeField> {
    static var byteCount: Int { 32 }

    /// - Throws: `.wrongLength`, or `.scalarOutOfRange` outside 1 ... r - 1.
    static func check(_ scalar: UnsafeRawBufferPointer, bigEndian: Bool) throws(PairingError) {
        let raw = try loadRaw(scalar, bigEndian: bigEndian)
        guard raw.belowModulusMask & ~raw.isZeroMask != 0 else { throw .scalarOutOfRange }
    }

    /// What the functions for checked keys rely on; checked again in debug builds.
    @inline(__always)
    static func requireChecked(_ scalar: UnsafeRawBufferPointer, bigEndian: Bool) {
        #if DEBUG
            require((try? check(scalar, bigEndian: bigEndian)) != nil, "a secret scalar that was not checked")
        #endif
    }

    /// The limbs as an integer, perhaps not below r: sums and differences modulo r of such as are need no Montgomery form.
    static func loadRaw(_ scalar: UnsafeRawBufferPointer, bigEndian: Bool) throws(PairingError) -> Field {
        guard scalar.count == byteCount, let base = scalar.baseAddress else {
            throw .wrongLength(expected: byteCount, actual: scalar.count)
        }
        return bigEndian ? Field.loadRaw(bigEndian: base) : Field.loadRaw(littleEndian: base)
    }

    static func storeRaw(
        _ value: Field, into output: UnsafeMutableRawBufferPointer, bigEndian: Bool
    ) throws(PairingError) {
        guard output.count == byteCount, let base = output.baseAddress else {
            throw .wrongLength(expected: byteCount, actual: output.count)
        }
        if bigEndian { value.storeRaw(bigEndian: base) } else { value.storeRaw(littleEndian: base) }
    }

    /// Writes x ± y modulo r; x and y are in 0 ..< r.
    static func combine(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, subtract: Bool,
        into output: UnsafeMutableRawBufferPointer, bigEndian: Bool
    ) throws(PairingError) {
        let a = try loadRaw(x, bigEndian: bigEndian)
        let b = try loadRaw(y, bigEndian: bigEndian)
        guard a.belowModulusMask & b.belowModulusMask != 0 else { throw .scalarOutOfRange }
        try storeRaw(subtract ? a - b : a + b, into: output, bigEndian: bigEndian)
    }

    /// Writes a uniform scalar in 1 ..< r, from 64 bytes of the caller's generator for each attempt.
    static func random(
        into output: UnsafeMutableRawBufferPointer, bigEndian: Bool,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { scratch in
            defer { wipe(scratch) }
            for _ in 0..<4 {
                try generator(scratch)
                let value = Field.reduce(bigEndian64: UnsafeRawBufferPointer(scratch)).canonical
                if value.isZeroMask == 0 {
                    try storeRaw(value, into: output, bigEndian: bigEndian)
                    return
                }
            }
            throw PairingError.randomnessUnusable
        }
    }

    /// Writes `count` scalars that add up to `secret`, all but the last one uniform, none of them 0.
    static func split(
        _ secret: UnsafeRawBufferPointer, count: Int, into shares: UnsafeMutableRawBufferPointer, bigEndian: Bool,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try check(secret, bigEndian: bigEndian)
        guard count >= 2, shares.count == count * byteCount else { throw PairingError.invalidCount }
        func share(_ index: Int) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: shares[(index * byteCount)..<((index + 1) * byteCount)])
        }
        for _ in 0..<4 {
            var rest = try loadRaw(secret, bigEndian: bigEndian)
            for index in 0..<(count - 1) {
                try random(into: share(index), bigEndian: bigEndian, from: generator)
                rest = rest - (try loadRaw(UnsafeRawBufferPointer(share(index)), bigEndian: bigEndian))
            }
            if rest.isZeroMask == 0 {
                try storeRaw(rest, into: share(count - 1), bigEndian: bigEndian)
                return
            }
        }
        throw PairingError.randomnessUnusable
    }
}
