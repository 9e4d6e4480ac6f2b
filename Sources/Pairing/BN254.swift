/// The curve CurveFp254BNb (mcl's `BN254`) and its optimal ate pairing. Not the curve of the Ethereum precompiles.
///
/// Its security is about 100 bits: for compatibility only.
public enum BN254 {
    /// |u| of the curve parameter u = -(2^62 + 2^55 + 1).
    static let parameter: UInt64 = 0x4080_0000_0000_0001

    enum G1Curve: CurveGroup {
        static var b: BN254Fp { BN254Fp(integer: 2) }
        static var generatorX: BN254Fp { g1GeneratorX }
        static var generatorY: BN254Fp { g1GeneratorY }
        @inline(__always) static func times3b(_ x: BN254Fp) -> BN254Fp { x.tripled.doubled }
    }

    /// y² = x³ + 2/ξ = x³ + (1 - i).
    enum G2Curve: CurveGroup {
        static var b: Fp2<BN254Fp> { Fp2(.one, -.one) }
        static var generatorX: Fp2<BN254Fp> { g2GeneratorX }
        static var generatorY: Fp2<BN254Fp> { g2GeneratorY }
        @inline(__always) static func times3b(_ x: Fp2<BN254Fp>) -> Fp2<BN254Fp> { timesTwistB(x).tripled }
    }

    /// Q is in the subgroup of order r exactly when ψ(Q) = [6u²]Q, the trace of Frobenius being 6u² + 1. The cofactor of
    /// G1 is 1, so the curve equation suffices there.
    static func isInSubgroup(_ point: Point<G2Curve>) -> Bool {
        let multiple = point.multipliedVariableTime(by: parameter).multipliedVariableTime(by: parameter)
        return psi(point) == multiple.doubled + multiple.doubled.doubled
    }
}

extension BN254: PairingCurve {
    typealias Base = BN254Fp
    typealias Group1 = G1Curve
    typealias Group2 = G2Curve

    /// |6u + 2| = 0x18300000000000004 without its leading one.
    static let loopDigits = (0..<64).reversed().map { (UInt64(0x8300_0000_0000_0004) >> UInt64($0)) & 1 != 0 }
    static var loopIsNegative: Bool { true }
    static var addsFrobeniusLines: Bool { true }

    @inline(__always) static func timesTwistB(_ x: Fp2<BN254Fp>) -> Fp2<BN254Fp> { Fp2(x.c0 + x.c1, x.c1 - x.c0) }

    /// D-type twist: 1, w and v·w.
    @inline(__always) static func multiply(
        _ value: inout Fp12<BN254Fp>, y: Fp2<BN254Fp>, x: Fp2<BN254Fp>, constant: Fp2<BN254Fp>
    ) {
        value.multiply(a0: y, b0: x, b1: constant)
    }

    /// A power of (p⁴ - p² + 1)/r prime to r, with three powers of u.
    ///
    /// - Source: Fuentes-Castañeda, Knapp and Rodríguez-Henríquez, "Faster hashing to G2", 2011, section 5.
    static func hardPart(_ f: Fp12<BN254Fp>) -> Fp12<BN254Fp> {
        // u is negative: a plain power of |u| is a power of -u.
        let f2u = f.cyclotomicPower(parameter).cyclotomicSquare
        let f6u = f2u.cyclotomicSquare * f2u
        let f6uu = f6u.cyclotomicPower(parameter)
        let f12uuu = f6uu.cyclotomicSquare.cyclotomicPower(parameter)
        let a = f12uuu.conjugate * f6uu * f6u.conjugate
        let b = a * f2u
        let first = a * f6uu * f
        let last = frobenius3(f.conjugate * b)
        return last * frobenius2(a) * frobenius1(b) * first
    }
}
