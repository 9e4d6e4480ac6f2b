/// The curve BLS12-381 and its optimal ate pairing.
public enum BLS12381 {
    /// |x| of the curve parameter x = -0xd201000000010000.
    static let parameter: UInt64 = 0xd201_0000_0001_0000

    enum G1Curve: CurveGroup {
        static var b: BLS12381Fp { BLS12381Fp(integer: 4) }
        static var generatorX: BLS12381Fp { g1GeneratorX }
        static var generatorY: BLS12381Fp { g1GeneratorY }
        @inline(__always) static func times3b(_ x: BLS12381Fp) -> BLS12381Fp { x.tripled.quadrupled }
    }

    enum G2Curve: CurveGroup {
        static var b: Fp2<BLS12381Fp> { Fp2(BLS12381Fp(integer: 4), BLS12381Fp(integer: 4)) }
        static var generatorX: Fp2<BLS12381Fp> { g2GeneratorX }
        static var generatorY: Fp2<BLS12381Fp> { g2GeneratorY }
        @inline(__always) static func times3b(_ x: Fp2<BLS12381Fp>) -> Fp2<BLS12381Fp> {
            x.timesXi.tripled.quadrupled
        }
    }

    /// P is in the subgroup of order r exactly when φ(P) = -[x²]P with φ(x, y) = (βx, y).
    ///
    /// - Source: Scott, "A note on group membership tests for G1, G2 and GT on BLS pairing-friendly curves", 2021.
    static func isInSubgroup(_ point: Point<G1Curve>) -> Bool {
        let image = Point<G1Curve>(point.x * cubeRoot, point.y, point.z)
        let multiple = point.multipliedVariableTime(by: parameter).multipliedVariableTime(by: parameter)
        return image == -multiple
    }

    /// Q is in the subgroup of order r exactly when ψ(Q) = [x]Q.
    ///
    /// - Source: as above.
    static func isInSubgroup(_ point: Point<G2Curve>) -> Bool {
        psi(point) == -point.multipliedVariableTime(by: parameter)
    }
}

extension BLS12381: PairingCurve {
    typealias Base = BLS12381Fp
    typealias Group1 = G1Curve
    typealias Group2 = G2Curve

    static let loopDigits = (0..<63).reversed().map { (parameter >> UInt64($0)) & 1 != 0 }
    static var loopIsNegative: Bool { true }
    static var addsFrobeniusLines: Bool { false }

    @inline(__always) static func timesTwistB(_ x: Fp2<BLS12381Fp>) -> Fp2<BLS12381Fp> { x.timesXi.quadrupled }

    /// M-type twist: 1, v and v·w.
    @inline(__always) static func multiply(
        _ value: inout Fp12<BLS12381Fp>, y: Fp2<BLS12381Fp>, x: Fp2<BLS12381Fp>, constant: Fp2<BLS12381Fp>
    ) {
        value.multiply(a0: constant, a1: x, b1: y)
    }

    /// The power 3(p⁴ - p² + 1)/r = (x - 1)²(x + p)(x² + p² - 1) + 3.
    ///
    /// - Source: Hayashida, Hayasaka and Teruya, "Efficient final exponentiation via cyclotomic structure for pairings
    ///   over families of elliptic curves", 2020.
    static func hardPart(_ f: Fp12<BLS12381Fp>) -> Fp12<BLS12381Fp> {
        func powerX(_ value: Fp12<BLS12381Fp>) -> Fp12<BLS12381Fp> { value.cyclotomicPower(parameter).conjugate }
        var t = powerX(f) * f.conjugate
        t = powerX(t) * t.conjugate
        t = powerX(t) * frobenius1(t)
        t = powerX(powerX(t)) * frobenius2(t) * t.conjugate
        return t * f.cyclotomicSquare * f
    }
}
