/// Additive sharing of secret keys: the sum of the shares' signatures is the signature of the sum.
extension BLS0Chain {
    /// Writes a fresh secret key, 32 bytes little-endian.
    ///
    /// - Parameter generator: fills the buffer with unpredictable bytes (64 are asked for).
    public static func generateSecretKey(
        into output: UnsafeMutableRawBufferPointer, from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try SecretScalar<BN254Fr>.random(into: output, bigEndian: false, from: generator)
    }

    /// Writes `count` shares of 32 bytes that add up to the key; none is 0.
    public static func split(
        _ secretKey: UnsafeRawBufferPointer, count: Int, into shares: UnsafeMutableRawBufferPointer,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try SecretScalar<BN254Fr>.split(secretKey, count: count, into: shares, bigEndian: false, from: generator)
    }

    /// Writes x + y modulo r.
    public static func add(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try SecretScalar<BN254Fr>.combine(x, y, subtract: false, into: output, bigEndian: false)
    }

    /// Writes x - y modulo r.
    public static func subtract(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try SecretScalar<BN254Fr>.combine(x, y, subtract: true, into: output, bigEndian: false)
    }

    /// The "masked little-endian" import: the first 32 bytes at most, 254 bits of them, and bit 253 cleared too if r is
    /// still reached. For mnemonics only: it is slightly biased.
    ///
    /// - Throws: `.wrongLength` for an output other than 32 bytes.
    public static func importMasked(
        _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        guard output.count == 32 else { throw .wrongLength(expected: 32, actual: output.count) }
        for index in 0..<32 { output[index] = index < bytes.count ? bytes[index] : 0 }
        output[31] &= 0x3f
        let raw = try SecretScalar<BN254Fr>.loadRaw(UnsafeRawBufferPointer(output), bigEndian: false)
        output[31] &= UInt8(truncatingIfNeeded: raw.belowModulusMask) | 0x1f
    }
}
