/// BBS+ signatures over BLS12-381 with public keys in G2, as the early `bbs-signatures` libraries fixed them. Not the
/// later BBS ciphersuites of the IETF.
///
/// Secret keys are 32 bytes big-endian in the caller's memory; randomness comes from the caller's generator.
///
/// - Concurrency: pure functions.
/// - Source: Camenisch, Drijvers and Lehmann, ePrint 2016/663, section 4.3.
public enum BBSPlus {
    public typealias PublicKey = BLS12381.G2Point
    public typealias Scalar = BLS12381.Scalar
    /// Fills the buffer with unpredictable bytes.
    public typealias Generator = (UnsafeMutableRawBufferPointer) throws -> Void

    /// Most messages one signature may carry: the proof format counts them in 16 bits.
    public static let maximumMessageCount = 65535

    /// x·P2.
    ///
    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    public static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey {
        try BLSMinSig.publicKey(of: secretKey)
    }

    /// BLAKE2b with 48 bytes of digest, big-endian, modulo r; used for messages, nonces and challenges.
    public static func hashToScalar(_ message: [UInt8]) -> Scalar {
        Scalar(BLS12381Fr(reducingBigEndian: BLAKE2b.hash(message, outputLength: 48)))
    }

    /// Writes the secret key that belongs to the 32 bytes HKDF-SHA-256 makes of a seed.
    ///
    /// - Parameter material: HKDF with the seed and a zero byte as input, the salt `BBS-SIG-KEYGEN-SALT-` and two zero
    ///   bytes as info, 32 bytes long.
    /// - Throws: `.wrongLength`; `.scalarOutOfRange` if the key would be 0.
    public static func secretKey(
        fromKeyMaterial material: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        guard material.count == 32 else { throw .wrongLength(expected: 32, actual: material.count) }
        var digest = BLAKE2b.hash(material, outputLength: 48)
        let outcome = digest.withUnsafeMutableBytes { bytes -> Result<Void, PairingError> in
            defer { wipe(bytes) }
            return Result { () throws(PairingError) in
                try BLS12381.reduceKeyMaterial(UnsafeRawBufferPointer(bytes), into: output)
            }
        }
        try outcome.get()
    }

    /// Draws a scalar; 64 bytes are asked for, so that it is uniform.
    static func randomScalar(from generator: Generator) throws -> BLS12381Fr {
        try withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { scratch in
            defer { wipe(scratch) }
            try SecretScalar<BLS12381Fr>.random(into: scratch, bigEndian: true, from: generator)
            return try SecretScalar<BLS12381Fr>.loadRaw(UnsafeRawBufferPointer(scratch), bigEndian: true).montgomery
        }
    }
}
