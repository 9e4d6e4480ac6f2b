extension BN254 {
    /// Hashes a message to G1 as herumi's libraries do by default: SHA-256, masking, one Fouque-Tibouchi map.
    ///
    /// No domain separation and not uniform on G1; fixed by compatibility. Variable time: messages are public.
    public static func hashToG1(_ message: [UInt8]) throws(PairingError) -> G1Point {
        try mapToG1(maskedFieldElement(SHA256.hash(message)))
    }

    /// 32 bytes as a little-endian integer: 254 bits are kept, and bit 253 is cleared too if p is still reached.
    static func maskedFieldElement(_ digest: [UInt8]) -> BN254Fp {
        precondition(digest.count == 32, "a digest of 32 bytes")
        var bytes = digest
        bytes[31] &= 0x3f
        if let value = BN254Fp(littleEndian: bytes) { return value }
        bytes[31] &= 0x1f
        return BN254Fp(littleEndian: bytes) ?? .zero  // below 2^253 < p, so never nil
    }

    /// The Shallue-van de Woestijne map for BN curves, one field element to one point.
    ///
    /// - Source: Fouque and Tibouchi, "Indifferentiable hashing to Barreto-Naehrig curves", 2012.
    /// - Throws: `.invalidHashInput` where the map is undefined (probability about 2^-253).
    static func mapToG1(_ t: BN254Fp) throws(PairingError) -> G1Point {
        if t.isZero {
            guard let y = BN254Fp(integer: 3).squareRoot else { throw .invalidHashInput }
            return G1Point(Point(cubeRoot, y, .one))
        }
        let denominator = t.squared + BN254Fp(integer: 3)
        guard !denominator.isZero else { throw .invalidHashInput }
        // One inversion serves w = √-3·t / (3 + t²) and 1/w.
        let numerator = rootOfMinus3 * t
        let inverse = (numerator * denominator).inverseVariableTime
        let w = numerator.squared * inverse
        let first = cubeRoot - t * w
        let second = -(first + .one)
        let third = BN254Fp.one + (denominator.squared * inverse).squared
        for x in [first, second, third] {
            guard let y = (x.squared * x + G1Curve.b).squareRoot else { continue }
            return G1Point(Point(x, t.legendreSymbol < 0 ? -y : y, .one))
        }
        throw .invalidHashInput  // one of the three is always on the curve
    }
}
