import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct FieldTests {
    @Test func bls12381BaseFieldObeysTheFieldLaws() { checkField(BLS12381Fp.self) }
    @Test func bls12381ScalarFieldObeysTheFieldLaws() { checkField(BLS12381Fr.self) }
    @Test func bn254BaseFieldObeysTheFieldLaws() { checkField(BN254Fp.self) }
    @Test func bn254ScalarFieldObeysTheFieldLaws() { checkField(BN254Fr.self) }

    /// The field laws on random and extreme elements, and each fast path against the slow one.
    func checkField<F: PrimeField>(_: F.Type) {
        var generator = TestRandom(seed: 7)
        let extremes = [F.zero, F.one, -F.one, F.one.doubled, -F.one.doubled, F.radixSquared]
        let elements = extremes + (0..<20).map { _ in generator.field(F.self) }
        for a in elements {
            #expect(a + F.zero == a && a * F.one == a && a - a == F.zero && -(-a) == a)
            #expect(a.halved.doubled == a)
            #expect(a.inverse == a.inverseVariableTime)
            #expect(a.inverse * a == (a.isZero ? F.zero : F.one))
            #expect(F(bigEndian: a.bigEndianBytes) == a)
            #expect(F(littleEndian: a.littleEndianBytes) == a)
            #expect(F(reducingBigEndian: a.bigEndianBytes) == a)
            #expect(a.power(F.modulus) == a)
            #expect((a.canonical.aboveHalfMask == 0) == ((-a).canonical.aboveHalfMask != 0) || a.isZero)
            #expect(a.belowModulusMask == ~0)
            for b in elements {
                #expect(a + b == b + a && a * b == b * a && a - b == -(b - a))
                #expect((a + b).squared == a.squared + (a * b).doubled + b.squared)
                #expect((a == b) == (a.equalMask(b) == ~0) && (a != b) == (a.equalMask(b) == 0))
                #expect(F.select(~0, a, b) == a && F.select(0, a, b) == b)
            }
        }
    }

    @Test func refusesTheModulusAndWrongLengths() {
        let modulus = BN254Fp.modulus.reversed().flatMap { word in
            (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
        #expect(BN254Fp(bigEndian: modulus) == nil)
        var below = modulus
        below[31] -= 1
        #expect(BN254Fp(bigEndian: below) == -BN254Fp.one)
        #expect(BN254Fp(bigEndian: below.dropFirst()) == nil)
        #expect(BN254Fp(bigEndian: below + [0]) == nil)
        #expect(BLS12381Fr(bigEndian: [UInt8](repeating: 0xff, count: 32)) == nil)
    }

    @Test func quadraticExtensionsHaveTheRootsTheyClaim() {
        var generator = TestRandom(seed: 8)
        var roots = 0
        for _ in 0..<40 {
            let a = Fp2(generator.field(BLS12381Fp.self), generator.field(BLS12381Fp.self))
            let b = Fp2(generator.field(BLS12381Fp.self), generator.field(BLS12381Fp.self))
            let schoolbook = Fp2(a.c0 * b.c0 - a.c1 * b.c1, a.c0 * b.c1 + a.c1 * b.c0)
            #expect(a * b == schoolbook)
            #expect(Fp2<BLS12381Fp>.wideProduct(a, b).reduced == schoolbook)
            #expect(a.squared == a * a)
            #expect(a.timesXi == a * Fp2(.one, .one))
            #expect(a * a.inverse == .one && a.inverse == a.inverseVariableTime)
            #expect(a.squared.squareRootVariableTime.map { $0 == a || $0 == -a } == true)
            if let root = b.squareRootVariableTime {
                roots += 1
                #expect(root.squared == b)
            }
        }
        #expect(roots > 5 && roots < 35)
        let real = Fp2<BN254Fp>(-.one, .zero)
        #expect(real.squareRootVariableTime == Fp2(.zero, .one))
    }

    @Test func bn254LazySumsStayBelowTheBound() {
        // All coefficients p - 1: the largest values the lazy reductions meet.
        let top = Fp2<BN254Fp>(-.one, -.one)
        let bls = Fp2<BLS12381Fp>(-.one, -.one)
        checkCyclotomicWorstCase(top)
        checkCyclotomicWorstCase(bls)
    }

    func checkCyclotomicWorstCase<Base: PairingBaseField>(_ top: Fp2<Base>) {
        let six = Fp6(top, top, top)
        let doubledSix = Fp6(top.squared, top.squared, top.squared)
        // (t + tv + tv²)² = t²(1 + 2v + 3v² + 2ξ + ξv)
        let t = top.squared
        let expected = Fp6(t + t.timesXi.doubled, t.doubled + t.timesXi, t.tripled)
        #expect(six * six == expected)
        #expect(doubledSix.c0 == t)
    }
}
