/// BLS signatures over BLS12-381 with public keys in G1 (48 bytes) and signatures in G2 (96 bytes); secret keys are 32
/// bytes big-endian.
///
/// - Concurrency: pure functions; secrets are read in place from the caller's memory.
/// - Source: draft-irtf-cfrg-bls-signature; RFC 9380 for the hashing.
public enum BLSMinPK {
    public typealias Signature = BLS12381.G2Point
    public typealias PublicKey = BLS12381.G1Point

    /// The tag of the basic scheme.
    public static let basicTag = Array("BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_".utf8)

    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    public static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey {
        try SecretScalar<BLS12381Fr>.check(secretKey, bigEndian: true)
        return BLSMinSig.sign(point: .generator, checkedKey: secretKey)
    }

    /// - Throws: as ``publicKey(of:)``, and `.invalidHashInput` for an empty tag.
    public static func sign(
        _ message: [UInt8], tag: [UInt8], secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try SecretScalar<BLS12381Fr>.check(secretKey, bigEndian: true)
        return sign(point: try BLS12381.hashToG2(message, tag: tag), checkedKey: secretKey)
    }

    /// e(pk, H(m)) = e(G1, S), as one product of two pairings. False for a public key or signature at infinity.
    public static func verify(
        _ signature: Signature, message: [UInt8], tag: [UInt8], publicKey: PublicKey
    ) -> Bool {
        verifyAggregate(signature, of: [(message, publicKey)], tag: tag)
    }

    /// Verifies an aggregate over several keys and messages; in the basic scheme the caller makes sure that the messages
    /// are distinct.
    public static func verifyAggregate(
        _ aggregate: Signature, of signed: [(message: [UInt8], publicKey: PublicKey)], tag: [UInt8]
    ) -> Bool {
        guard !signed.isEmpty, !aggregate.isInfinity else { return false }
        var pairs = [
            (-AffinePoint<BLS12381.G1Curve>.generator, PreparedG2<BLS12381>(aggregate.point.affineVariableTime))
        ]
        for entry in signed {
            guard !entry.publicKey.isInfinity, let point = try? BLS12381.hashToG2(entry.message, tag: tag) else {
                return false
            }
            pairs.append((entry.publicKey.point.affineVariableTime, PreparedG2(point.point.affineVariableTime)))
        }
        return BLS12381.productIsOne(pairs)
    }

    /// For a secret known to be in range; the constant-time harness enters here. The result is normalised: a projective Z
    /// would give away something of the scalar.
    package static func sign(point: BLS12381.G2Point, checkedKey: UnsafeRawBufferPointer) -> Signature {
        SecretScalar<BLS12381Fr>.requireChecked(checkedKey, bigEndian: true)
        return Signature(Point(point.point.multiplied(bySecret: checkedKey, bigEndian: true).affine))
    }
}
