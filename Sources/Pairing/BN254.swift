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
}

extension BN254: BarretoNaehrigCurve {
    typealias Base = BN254Fp
    typealias Group1 = G1Curve
    typealias Group2 = G2Curve

    /// |6u + 2| = 0x18300000000000004 without its leading one.
    static let loopDigits = (0..<64).reversed().map { (UInt64(0x8300_0000_0000_0004) >> UInt64($0)) & 1 != 0 }

    @inline(__always) static func timesTwistB(_ x: Fp2<BN254Fp>) -> Fp2<BN254Fp> { Fp2(x.c0 + x.c1, x.c1 - x.c0) }

    /// D-type twist: 1, w and v·w.
    @inline(__always) static func multiply(
        _ value: inout Fp12<BN254Fp>, y: Fp2<BN254Fp>, x: Fp2<BN254Fp>, constant: Fp2<BN254Fp>
    ) {
        value.multiply(a0: y, b0: x, b1: constant)
    }
}
