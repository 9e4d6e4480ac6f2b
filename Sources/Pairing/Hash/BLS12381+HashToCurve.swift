extension BLS12381 {
    /// Hashes to G1: BLS12381G1_XMD:SHA-256_SSWU_RO_ of RFC 9380 section 8.8.1. Variable time: messages are public.
    ///
    /// - Parameter tag: the domain-separation tag, 1 byte or more.
    /// - Throws: `.invalidHashInput` for an empty tag.
    public static func hashToG1(_ message: [UInt8], tag: [UInt8]) throws(PairingError) -> G1Point {
        G1Point(try hashToG1(message, tag: tag, hash: .sha256, sign: .parity))
    }

    /// Hashes to G2: BLS12381G2_XMD:SHA-256_SSWU_RO_ of RFC 9380 section 8.8.2. Variable time: messages are public.
    ///
    /// - Throws: `.invalidHashInput` for an empty tag.
    public static func hashToG2(_ message: [UInt8], tag: [UInt8]) throws(PairingError) -> G2Point {
        let uniform = try MessageExpansion.xmd(message, tag: tag, count: 256, hash: .sha256)
        var sum = Point<G2Curve>.infinity
        for half in 0..<2 {
            let u = Fp2<BLS12381Fp>(
                BLS12381Fp(reducingBigEndian: uniform[(128 * half)..<(128 * half + 64)]),
                BLS12381Fp(reducingBigEndian: uniform[(128 * half + 64)..<(128 * half + 128)]))
            guard let mapped = SimplifiedSWU.mapToIsogenousG2(u) else { throw .invalidHashInput }
            sum =
                sum
                + SimplifiedSWU.isogeny(
                    numerator: mapped.x, denominator: .one, y: mapped.y,
                    maps: (
                        IsogenyConstants.g2XNumerator, IsogenyConstants.g2XDenominator,
                        IsogenyConstants.g2YNumerator, IsogenyConstants.g2YDenominator
                    ), to: G2Curve.self)
        }
        return G2Point(clearCofactor(sum))
    }

    static func hashToG1(
        _ message: [UInt8], tag: [UInt8], hash: MessageExpansion.HashFunction, sign: SimplifiedSWU.SignRule
    ) throws(PairingError) -> Point<G1Curve> {
        let uniform = try MessageExpansion.xmd(message, tag: tag, count: 128, hash: hash)
        var sum = Point<G1Curve>.infinity
        for half in 0..<2 {
            let u = BLS12381Fp(reducingBigEndian: uniform[(64 * half)..<(64 * half + 64)])
            let mapped = SimplifiedSWU.mapToIsogenousG1(u, sign: sign)
            sum =
                sum
                + SimplifiedSWU.isogeny(
                    numerator: mapped.numerator, denominator: mapped.denominator, y: mapped.y,
                    maps: (
                        IsogenyConstants.g1XNumerator, IsogenyConstants.g1XDenominator,
                        IsogenyConstants.g1YNumerator, IsogenyConstants.g1YDenominator
                    ), to: G1Curve.self)
        }
        return clearCofactor(sum)
    }

    /// Times 1 - x.
    static func clearCofactor(_ point: Point<G1Curve>) -> Point<G1Curve> {
        point.multipliedVariableTime(by: parameter + 1)
    }

    /// [x² - x - 1]P + [x - 1]ψ(P) + ψ²(2P), which equals h_eff·P.
    ///
    /// - Source: Budroni and Pintore, "Efficient hash maps to G2 on BLS curves"; RFC 9380 appendix G.3.
    static func clearCofactor(_ point: Point<G2Curve>) -> Point<G2Curve> {
        let timesX = -point.multipliedVariableTime(by: parameter)
        let image = psi(point)
        let inner = timesX + image
        let timesXInner = -inner.multipliedVariableTime(by: parameter)
        return timesXInner - timesX - point - image + psi(psi(point.doubled))
    }
}
