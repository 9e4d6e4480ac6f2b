import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct TowerTests {
    @Test func bls12381PairingIsBilinear() { checkBilinearity(BLS12381.self) }
    @Test func bn254PairingIsBilinear() { checkBilinearity(BN254.self) }

    func checkBilinearity<Curve: PairingCurve>(_: Curve.Type) {
        let p = Point<Curve.Group1>.generator
        let q = Point<Curve.Group2>.generator
        #expect(Curve.Group1.contains(Curve.Group1.generatorX, Curve.Group1.generatorY))
        #expect(Curve.Group2.contains(Curve.Group2.generatorX, Curve.Group2.generatorY))
        let a: [UInt64] = [0x1234_5678_9abc_def1, 7, 99]
        let b: [UInt64] = [0xfeed_beef, 0x1_0000, 3]
        func e(_ p: Point<Curve.Group1>, _ q: Point<Curve.Group2>) -> Fp12<Curve.Base> {
            Curve.pairing([(p.affine, PreparedG2(q.affine))])
        }
        let left = e(p.multipliedVariableTime(by: a), q.multipliedVariableTime(by: b))
        let right = e(p.multipliedVariableTime(by: b), q.multipliedVariableTime(by: a))
        #expect(left == right)
        #expect(left != .one)
        #expect(e(p, q + q) == e(p, q) * e(p, q))
        #expect(e(p + p, q) == e(p, q).cyclotomicSquare)
        #expect(e(p, q).square == e(p, q).cyclotomicSquare)
        #expect(
            Curve.productIsOne([
                (p.affine, PreparedG2(q.doubled.affine)), ((-p.doubled).affine, PreparedG2(q.affine)),
            ]))
    }

    @Test func compressedPowersArePlainOnes() {
        checkPowers(BLS12381.self)
        checkPowers(BN254.self)
        checkPowers(BNP256.self)
    }

    func checkPowers<Curve: PairingCurve>(_: Curve.Type) {
        let value = Curve.pairing([
            (Point<Curve.Group1>.generator.affine, PreparedG2(Point<Curve.Group2>.generator.affine))
        ])
        for exponent: UInt64 in [2, 3, 4, 0xd201_0000_0001_0000, (1 << 62) + (1 << 55) + 1, 1 << 63, 0xff, .max << 56] {
            #expect(value.compressedPower(exponent) == value.plainPower(exponent), "\(exponent)")
            #expect(value.cyclotomicPower(exponent) == value.plainPower(exponent))
        }
        // Nothing to compress, too many ones, and the elements that compression cannot tell apart.
        #expect(value.compressedPower(1) == nil)
        #expect(value.cyclotomicPower(1) == value)
        #expect(value.compressedPower(0x1ff) == nil)
        #expect(value.cyclotomicPower(0x1ff) == value.plainPower(0x1ff))
        #expect(Fp12<Curve.Base>.one.compressedPower(0x10001) == nil)
        #expect(Fp12<Curve.Base>.one.cyclotomicPower(0x10001) == .one)
    }
}
