/// The curve TPM_ECC_BN_P256 of the TCG algorithm registry (BN256 of ISO/IEC 15946-5, FP256BN elsewhere) and its optimal
/// ate pairing. The one curve with a pairing on which TPMs multiply.
///
/// Its security is about 100 bits, as that of every Barreto-Naehrig curve of this size.
public enum BNP256 {
    /// |u| of the curve parameter u = -0x6882f5c030b0a801.
    static let parameter: UInt64 = 0x6882_f5c0_30b0_a801

    enum G1Curve: CurveGroup {
        static var b: BNP256Fp { BNP256Fp(integer: 3) }
        static var generatorX: BNP256Fp { g1GeneratorX }
        static var generatorY: BNP256Fp { g1GeneratorY }
        @inline(__always) static func times3b(_ x: BNP256Fp) -> BNP256Fp { x.tripled.tripled }
    }

    /// y² = x³ + 3ξ = x³ + (3 + 3i).
    enum G2Curve: CurveGroup {
        static var b: Fp2<BNP256Fp> { Fp2(BNP256Fp(integer: 3), BNP256Fp(integer: 3)) }
        static var generatorX: Fp2<BNP256Fp> { g2GeneratorX }
        static var generatorY: Fp2<BNP256Fp> { g2GeneratorY }
        @inline(__always) static func times3b(_ x: Fp2<BNP256Fp>) -> Fp2<BNP256Fp> { timesTwistB(x).tripled }
    }
}

extension BNP256: BarretoNaehrigCurve {
    typealias Base = BNP256Fp
    typealias Group1 = G1Curve
    typealias Group2 = G2Curve

    /// |6u + 2| = 0x27311c2812423f004 without its leading one.
    static let loopDigits =
        [false] + (0..<64).reversed().map { (UInt64(0x7311_c281_2423_f004) >> UInt64($0)) & 1 != 0 }

    @inline(__always) static func timesTwistB(_ x: Fp2<BNP256Fp>) -> Fp2<BNP256Fp> { x.timesXi.tripled }

    /// M-type twist: 1, v and v·w.
    @inline(__always) static func multiply(
        _ value: inout Fp12<BNP256Fp>, y: Fp2<BNP256Fp>, x: Fp2<BNP256Fp>, constant: Fp2<BNP256Fp>
    ) {
        value.multiply(a0: constant, a1: x, b1: y)
    }
}
