/// Partial signatures of a scalar h that lives in a token: it computes [h]H(m) by ECDH and returns x alone.
extension BLSMinSig {
    /// With one token answer, for H(m); decided by a pairing.
    ///
    /// - Parameters:
    ///   - x: the token's 48 bytes, big-endian.
    ///   - anchor: [h]·G2.
    /// - Throws: `.wrongLength`, `.notCanonical`, `.notOnCurve`, `.notInSubgroup` for an impossible x,
    ///   `.verificationFailed` for a wrong one.
    public static func recoverAnchored(
        x: [UInt8], message: HashedMessage, anchor: BLS12381.PreparedPublicKey
    ) throws(PairingError) -> Signature {
        try checked(
            try AnchoredPoint<BLS12381>.recover(
                x: coordinate(x), hash: message.point.point, base: BLS12381.preparedGenerator,
                anchor: anchor.prepared))
    }

    /// With two token answers, for H(m) and for H(m) + G; no pairing.
    ///
    /// - Parameter anchor: [h]G in G1, from the ceremony.
    /// - Throws: as ``recoverAnchored(x:message:anchor:)``; also `.invalidHashInput` in positions of negligible
    ///   probability, where the pairing decides.
    public static func recoverAnchored(
        x: [UInt8], xOfSum: [UInt8], message: HashedMessage, anchor: BLS12381.G1Point
    ) throws(PairingError) -> Signature {
        try checked(
            try AnchoredPoint<BLS12381>.recover(
                x: coordinate(x), xOfSum: coordinate(xOfSum), hash: message.point.point, anchor: anchor.point))
    }

    private static func coordinate(_ bytes: [UInt8]) throws(PairingError) -> BLS12381Fp {
        guard bytes.count == 48 else { throw .wrongLength(expected: 48, actual: bytes.count) }
        guard let x = BLS12381Fp(bigEndian: bytes) else { throw .notCanonical }
        return x
    }

    /// The curve has a cofactor: a faulty token could answer with a point outside the subgroup.
    private static func checked(_ point: Point<BLS12381.G1Curve>) throws(PairingError) -> Signature {
        guard BLS12381.isInSubgroup(point) else { throw .notInSubgroup }
        return Signature(point)
    }
}
