extension BNP256 {
    /// Hashes to G1: BNP256G1_XMD:SHA-256_SVDW_RO_, a suite by the rules of RFC 9380 section 8.9 with the map of section
    /// 6.6.1 and Z = 1, which its appendix H.1 finds for this curve. Variable time: messages are public.
    ///
    /// - Parameter tag: the domain-separation tag, 1 byte or more.
    /// - Throws: `.invalidHashInput` for an empty tag.
    public static func hashToG1(_ message: [UInt8], tag: [UInt8]) throws(PairingError) -> G1Point {
        // L = ceil((256 + 128) / 8) of section 5.1.
        let uniform = try MessageExpansion.xmd(message, tag: tag, count: 96, hash: .sha256)
        let first = try mapToG1(BNP256Fp(reducingBigEndian: uniform.prefix(48)))
        // The cofactor is 1: nothing to clear.
        return G1Point(first + (try mapToG1(BNP256Fp(reducingBigEndian: uniform.suffix(48)))))
    }

    /// The Shallue-van de Woestijne map; 1/0 counts as 0.
    static func mapToG1(_ u: BNP256Fp) throws(PairingError) -> Point<G1Curve> {
        // c1 = g(Z) = 4.
        let scaled = u.squared.quadrupled
        let plus = BNP256Fp.one + scaled
        let minus = BNP256Fp.one - scaled
        let inverse = (plus * minus).inverseVariableTime
        let offset = u * minus * inverse * mapRoot
        let last = (plus.squared * inverse).squared * mapRatio + .one
        for x in [mapHalf - offset, mapHalf + offset, last] {
            guard let y = (x.squared * x + G1Curve.b).squareRoot else { continue }
            return Point(x, y.parity == u.parity ? y : -y, .one)
        }
        throw .invalidHashInput  // one of the three is always on the curve
    }
}
