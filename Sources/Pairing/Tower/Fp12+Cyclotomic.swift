/// The subgroup of order p⁴ - p² + 1, where the final exponentiation works after its easy part.
extension Fp12 {
    /// Squaring there, nine squarings in Fp2.
    ///
    /// - Source: Granger and Scott, "Faster squaring in the cyclotomic subgroup of sixth degree extensions", 2010.
    @inline(never) var cyclotomicSquare: Self {
        let (t0, t1) = Self.square4(c0.c0, c1.c1)
        let (t2, t3) = Self.square4(c1.c0, c0.c2)
        let (t4, t5) = Self.square4(c0.c1, c1.c2)
        let t6 = t5.timesXi
        return Self(
            Fp6(t0.triple(minusTwice: c0.c0), t2.triple(minusTwice: c0.c1), t4.triple(minusTwice: c0.c2)),
            Fp6(t6.triple(plusTwice: c1.c0), t1.triple(plusTwice: c1.c1), t3.triple(plusTwice: c1.c2)))
    }

    /// (a + b·s)² with s² = ξ: the part without s, and the part with it.
    @inline(never)
    static func square4(_ a: Coefficient, _ b: Coefficient) -> (Coefficient, Coefficient) {
        // a0² - a1², 2 a0 a1 and the same for b, unreduced below 2p² each; pR exceeds 6p² for all primes, so only the
        // difference needs a correction. The generator asserts it, and debug builds check each sum.
        let real = Base.Wide.product(Base.unreducedSum(a.c0, a.c1), a.c0 - a.c1)
        let imaginary = Base.Wide.product(Base.unreducedSum(a.c0, a.c0), a.c1)
        let realB = Base.Wide.product(Base.unreducedSum(b.c0, b.c1), b.c0 - b.c1)
        let imaginaryB = Base.Wide.product(Base.unreducedSum(b.c0, b.c0), b.c1)
        return (
            Coefficient(((real &+ realB) - imaginaryB).reduced, (imaginary &+ realB &+ imaginaryB).reduced),
            (a * b).doubled
        )
    }

    /// x^exponent of a public element, for a public exponent that is not 0, in the cyclotomic subgroup.
    @inline(never) func cyclotomicPower(_ exponent: UInt64) -> Self {
        precondition(exponent != 0, "the exponent must not be 0")
        return compressedPower(exponent) ?? plainPower(exponent)
    }

    /// By squaring compressed elements; nil where an element cannot be made whole again, and for an exponent with so many
    /// ones that making the squares whole would cost more than compression saves.
    func compressedPower(_ exponent: UInt64) -> Self? {
        guard exponent.nonzeroBitCount <= 8 else { return nil }
        var square = CompressedCyclotomic(self)
        var factors: [CompressedCyclotomic<Base>] = []
        for position in 1..<max(2, 64 - exponent.leadingZeroBitCount) {
            square.square()
            if (exponent >> UInt64(position)) & 1 != 0 { factors.append(square) }
        }
        guard let product = CompressedCyclotomic.productVariableTime(factors) else { return nil }
        return exponent & 1 != 0 ? product * self : product
    }

    /// By squaring whole elements; the exponent is not 0.
    func plainPower(_ exponent: UInt64) -> Self {
        precondition(exponent != 0, "the exponent must not be 0")
        var result = self
        for shift in (0..<(63 - exponent.leadingZeroBitCount)).reversed() {
            result = result.cyclotomicSquare
            if (exponent >> UInt64(shift)) & 1 != 0 { result = result * self }
        }
        return result
    }
}
