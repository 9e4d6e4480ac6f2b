/// Partial signatures of a scalar h that lives in a token: it computes [h]H(m) by ECDH and returns x alone.
extension BLS0Chain {
    /// With one token answer, for H(m); decided by a pairing.
    ///
    /// - Parameters:
    ///   - x: the token's 32 bytes, big-endian.
    ///   - anchor: [h]Q.
    /// - Throws: `.wrongLength`, `.notCanonical`, `.notOnCurve` for an impossible x, `.verificationFailed` for a wrong one.
    public static func recoverAnchored(
        x: [UInt8], message: HashedMessage, anchor: BN254.PreparedPublicKey
    ) throws(PairingError) -> Signature {
        Signature(
            try AnchoredPoint<BN254>.recover(
                x: coordinate(x), hash: message.point.point, base: BN254.preparedGenerator, anchor: anchor.prepared))
    }

    /// With two token answers, for H(m) and for H(m) + G; no pairing.
    ///
    /// - Parameter anchor: [h]G in G1, from the ceremony.
    /// - Throws: as ``recoverAnchored(x:message:anchor:)``; also `.invalidHashInput` in positions of negligible
    ///   probability, where the pairing decides.
    public static func recoverAnchored(
        x: [UInt8], xOfSum: [UInt8], message: HashedMessage, anchor: BN254.G1Point
    ) throws(PairingError) -> Signature {
        Signature(
            try AnchoredPoint<BN254>.recover(
                x: coordinate(x), xOfSum: coordinate(xOfSum), hash: message.point.point, anchor: anchor.point))
    }

    /// [h]G, for a secret in range; published with the anchor, so it says nothing that the public key does not.
    package static func anchorPoint(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> BN254.G1Point {
        try SecretScalar<BN254Fr>.check(secretKey, bigEndian: false)
        return sign(point: .generator, checkedKey: secretKey)
    }

    /// Whether [h]G and [h]Q are of one h: e(A, Q) = e(G, pk).
    package static func isAnchor(_ point: BN254.G1Point, of publicKey: BN254.PreparedPublicKey) -> Bool {
        guard !point.isInfinity, !publicKey.key.isInfinity else { return false }
        return BN254.productIsOne([
            (-point.point.affineVariableTime, BN254.preparedGenerator),
            (BN254.G1Point.generator.point.affineVariableTime, publicKey.prepared),
        ])
    }

    private static func coordinate(_ bytes: [UInt8]) throws(PairingError) -> BN254Fp {
        guard bytes.count == 32 else { throw .wrongLength(expected: 32, actual: bytes.count) }
        guard let x = BN254Fp(bigEndian: bytes) else { throw .notCanonical }
        return x
    }
}
