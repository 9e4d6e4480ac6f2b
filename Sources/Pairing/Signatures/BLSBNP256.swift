/// BLS signatures over TPM_ECC_BN_P256 with signatures in G1 (33 bytes) and public keys in G2 (65 bytes); secret keys are
/// 32 bytes big-endian, as TPMs take them. Experimental: no standard names this suite.
///
/// - Concurrency: pure functions; secrets are read in place from the caller's memory.
/// - Source: draft-irtf-cfrg-bls-signature for the scheme; RFC 9380 for the hashing.
public enum BLSBNP256 {
    public typealias Signature = BNP256.G1Point
    public typealias PublicKey = BNP256.G2Point

    /// The tag of the basic scheme.
    public static let basicTag = Array("BLS_SIG_BNP256G1_XMD:SHA-256_SVDW_RO_NUL_".utf8)

    /// Writes a fresh secret key.
    ///
    /// - Parameter generator: fills the buffer with unpredictable bytes (64 are asked for).
    public static func generateSecretKey(
        into output: UnsafeMutableRawBufferPointer, from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try SecretScalar<BNP256Fr>.random(into: output, bigEndian: true, from: generator)
    }

    /// Writes `count` shares of 32 bytes that add up to the key; none is 0.
    public static func split(
        _ secretKey: UnsafeRawBufferPointer, count: Int, into shares: UnsafeMutableRawBufferPointer,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try SecretScalar<BNP256Fr>.split(secretKey, count: count, into: shares, bigEndian: true, from: generator)
    }

    /// Writes x + y modulo r.
    public static func add(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try SecretScalar<BNP256Fr>.combine(x, y, subtract: false, into: output, bigEndian: true)
    }

    /// Writes x - y modulo r.
    public static func subtract(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try SecretScalar<BNP256Fr>.combine(x, y, subtract: true, into: output, bigEndian: true)
    }

    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    public static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey {
        try SecretScalar<BNP256Fr>.check(secretKey, bigEndian: true)
        return publicKey(ofChecked: secretKey)
    }

    /// [h]G, for a secret in range: the public key that a TPM tells of the same scalar.
    package static func anchorPoint(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> BNP256.G1Point {
        try SecretScalar<BNP256Fr>.check(secretKey, bigEndian: true)
        return sign(point: .generator, checkedKey: secretKey)
    }

    /// Whether [h]G and [h]Q are of one h: e(A, Q) = e(G, pk).
    package static func isAnchor(_ point: BNP256.G1Point, of publicKey: BNP256.PreparedPublicKey) -> Bool {
        verify(point, hashed: .generator, publicKey: publicKey)
    }

    /// A message after its hashing to G1. Secrets multiply only such points, never one that a caller chose.
    public struct HashedMessage: Sendable {
        public let point: BNP256.G1Point

        /// - Throws: `.invalidHashInput` for an empty tag.
        public init(_ message: [UInt8], tag: [UInt8] = basicTag) throws(PairingError) {
            point = try BNP256.hashToG1(message, tag: tag)
        }
    }

    /// - Throws: as ``publicKey(of:)``.
    public static func sign(
        _ message: HashedMessage, secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try SecretScalar<BNP256Fr>.check(secretKey, bigEndian: true)
        return sign(point: message.point, checkedKey: secretKey)
    }

    /// e(S, Q) = e(H(m), pk), as one product of two pairings. False for a public key or signature at infinity.
    public static func verify(
        _ signature: Signature, message: HashedMessage, publicKey: BNP256.PreparedPublicKey
    ) -> Bool {
        verify(signature, hashed: message.point, publicKey: publicKey)
    }

    private static func verify(
        _ signature: Signature, hashed: BNP256.G1Point, publicKey: BNP256.PreparedPublicKey
    ) -> Bool {
        guard !publicKey.key.isInfinity, !signature.isInfinity else { return false }
        return BNP256.productIsOne([
            (-signature.point.affineVariableTime, BNP256.preparedGenerator),
            (hashed.point.affineVariableTime, publicKey.prepared),
        ])
    }

    /// For secrets known to be in range; the constant-time harness enters here.
    package static func publicKey(ofChecked secretKey: UnsafeRawBufferPointer) -> PublicKey {
        SecretScalar<BNP256Fr>.requireChecked(secretKey, bigEndian: true)
        return PublicKey(Point(Point<BNP256.G2Curve>.generator.multiplied(bySecret: secretKey, bigEndian: true).affine))
    }

    /// As above. The result is normalised: a projective Z would give away something of the scalar.
    package static func sign(point: BNP256.G1Point, checkedKey: UnsafeRawBufferPointer) -> Signature {
        SecretScalar<BNP256Fr>.requireChecked(checkedKey, bigEndian: true)
        return Signature(Point(point.point.multiplied(bySecret: checkedKey, bigEndian: true).affine))
    }
}
