/// BLS signatures over CurveFp254BNb, compatible with 0Chain: signatures in G1, public keys in G2, secret keys 32 bytes
/// little-endian, messages hashed without a tag.
///
/// - Concurrency: pure functions; secrets are read in place from the caller's memory.
/// - Source: herumi's bls library in its default mode, as 0Chain uses it.
public enum BLS0Chain {
    public typealias Signature = BN254.G1Point
    public typealias PublicKey = BN254.G2Point

    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    public static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey {
        try SecretScalar<BN254Fr>.check(secretKey, bigEndian: false)
        return publicKey(ofChecked: secretKey)
    }

    /// - Throws: as ``publicKey(of:)``.
    public static func sign(
        _ message: [UInt8], secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try SecretScalar<BN254Fr>.check(secretKey, bigEndian: false)
        return sign(point: try BN254.hashToG1(message), checkedKey: secretKey)
    }

    /// e(S, Q) = e(H(m), pk), as one product of two pairings. False for a public key or signature at infinity.
    public static func verify(_ signature: Signature, message: [UInt8], publicKey: PublicKey) -> Bool {
        verify(signature, message: message, publicKey: BN254.PreparedPublicKey(publicKey))
    }

    public static func verify(
        _ signature: Signature, message: [UInt8], publicKey: BN254.PreparedPublicKey
    ) -> Bool {
        guard !publicKey.key.isInfinity, !signature.isInfinity, let point = try? BN254.hashToG1(message) else {
            return false
        }
        return BN254.productIsOne([
            (-signature.point.affineVariableTime, BN254.preparedGenerator),
            (point.point.affineVariableTime, publicKey.prepared),
        ])
    }

    /// Verifies signatures on distinct messages by several keys as one product; false when it does not hold for all.
    public static func verifyAggregate(
        _ aggregate: Signature, of signed: [(message: [UInt8], publicKey: BN254.PreparedPublicKey)]
    ) -> Bool {
        guard !signed.isEmpty, !aggregate.isInfinity else { return false }
        var pairs = [(-aggregate.point.affineVariableTime, BN254.preparedGenerator)]
        for entry in signed {
            guard !entry.publicKey.key.isInfinity, let point = try? BN254.hashToG1(entry.message) else { return false }
            pairs.append((point.point.affineVariableTime, entry.publicKey.prepared))
        }
        return BN254.productIsOne(pairs)
    }

    /// For secrets known to be in range; the constant-time harness enters here.
    package static func publicKey(ofChecked secretKey: UnsafeRawBufferPointer) -> PublicKey {
        PublicKey(Point(Point<BN254.G2Curve>.generator.multiplied(bySecret: secretKey, bigEndian: false).affine))
    }

    /// As above. The result is normalised: a projective Z would tell about the scalar.
    package static func sign(point: BN254.G1Point, checkedKey: UnsafeRawBufferPointer) -> Signature {
        Signature(Point(point.point.multiplied(bySecret: checkedKey, bigEndian: false).affine))
    }
}
