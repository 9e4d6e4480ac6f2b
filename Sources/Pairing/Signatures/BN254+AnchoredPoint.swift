/// Recovers S = [h]P when a token, which alone knows h, returned only the x coordinate of S (ECDH without a KDF).
///
/// Every method also proves that the token used the h behind the given public value; a wrong answer throws.
/// S is not a key but must not leave the signing component. P is always a hash output, never a caller's point.
extension BN254 {
    /// With one token answer: the sign is the one for which e(S, Q) = e(P, [h]Q).
    ///
    /// - Parameters:
    ///   - x: the token's 32 bytes, big-endian.
    ///   - anchor: [h]Q.
    /// - Throws: `.notOnCurve`, `.notCanonical`, `.wrongLength` for an impossible x, `.verificationFailed` for a wrong one.
    public static func recoverAnchored(
        x: [UInt8], hash: G1Point, anchor: PreparedPublicKey
    ) throws(PairingError) -> G1Point {
        let candidate = try G1Point(xCoordinate: x, isOdd: false)
        guard !hash.isInfinity, !anchor.key.isInfinity else { throw .infinity }
        let left = pairing([(candidate.point.affineVariableTime, preparedGenerator)])
        let right = pairing([(hash.point.affineVariableTime, anchor.prepared)])
        if left == right { return candidate }
        if left.conjugate == right { return -candidate }
        throw .verificationFailed
    }

    /// With two token answers and no pairing: x of [h]P and x of [h](P + G), where A = [h]G is known.
    ///
    /// - Throws: as ``recoverAnchored(x:hash:anchor:)``; also `.invalidHashInput` in the two exceptional positions of
    ///   negligible probability that only the pairing decides.
    public static func recoverAnchored(
        x: [UInt8], xOfSum: [UInt8], hash: G1Point, anchorInG1: G1Point
    ) throws(PairingError) -> G1Point {
        let candidate = try G1Point(xCoordinate: x, isOdd: false)
        let expected = try G1Point(xCoordinate: xOfSum, isOdd: false).point.affineVariableTime.x
        guard !hash.isInfinity, !anchorInG1.isInfinity, !(hash + .generator).isInfinity else { throw .invalidHashInput }
        let a = anchorInG1.point.affineVariableTime
        let s = candidate.point.affineVariableTime
        guard s.x != a.x else { throw .invalidHashInput }
        let inverse = (s.x - a.x).inverseVariableTime
        func sumX(_ y: BN254Fp) -> BN254Fp { ((y - a.y) * inverse).squared - s.x - a.x }
        if sumX(s.y) == expected { return candidate }
        if sumX(-s.y) == expected { return -candidate }
        throw .verificationFailed
    }
}
