import Testing

@testable import Pairing

@Suite struct TowerTests {
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
}
