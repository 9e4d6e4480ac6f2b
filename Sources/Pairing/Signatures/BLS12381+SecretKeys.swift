/// Secret keys of both BLS12-381 suites and of BBS+: 32 bytes big-endian in 1 ..< r.
extension BLS12381 {
    /// Writes a fresh secret key.
    ///
    /// - Parameter generator: fills the buffer with unpredictable bytes (64 are asked for).
    public static func generateSecretKey(
        into output: UnsafeMutableRawBufferPointer, from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try SecretScalar<BLS12381Fr>.random(into: output, bigEndian: true, from: generator)
    }

    /// Reduces the 48 bytes that HKDF gives in KeyGen of draft-irtf-cfrg-bls-signature.
    ///
    /// - Throws: `.wrongLength`; `.scalarOutOfRange` when the result is 0, on which KeyGen repeats with a new salt.
    public static func reduceKeyMaterial(
        _ material: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        guard material.count == 48 else { throw .wrongLength(expected: 48, actual: material.count) }
        let value = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { scratch in
            scratch.initializeMemory(as: UInt8.self, repeating: 0)
            for index in 0..<48 { scratch[16 + index] = material[index] }
            defer { wipe(scratch) }
            return BLS12381Fr.reduce(bigEndian64: UnsafeRawBufferPointer(scratch)).canonical
        }
        guard value.isZeroMask == 0 else { throw .scalarOutOfRange }
        try SecretScalar.storeRaw(value, into: output, bigEndian: true)
    }

    /// Writes x + y modulo r.
    public static func add(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try SecretScalar<BLS12381Fr>.combine(x, y, subtract: false, into: output, bigEndian: true)
    }

    /// Writes x - y modulo r.
    public static func subtract(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try SecretScalar<BLS12381Fr>.combine(x, y, subtract: true, into: output, bigEndian: true)
    }
}
