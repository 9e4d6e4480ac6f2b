/// Fp[i]/(i² + 1), the element c0 + c1·i.
///
/// A product costs three double-width products and two reductions: the sums of Karatsuba's method stay unreduced, which
/// is sound because 4p² < pR for all three primes.
struct Fp2<Base: PairingBaseField>: FieldElement {
    var c0: Base
    var c1: Base

    @inline(__always) init(_ c0: Base, _ c1: Base) {
        self.c0 = c0
        self.c1 = c1
    }

    @inline(__always) static var zero: Self { Self(.zero, .zero) }
    @inline(__always) static var one: Self { Self(.one, .zero) }

    @inline(never) static func + (x: Self, y: Self) -> Self { Self(x.c0 + y.c0, x.c1 + y.c1) }
    @inline(never) static func - (x: Self, y: Self) -> Self { Self(x.c0 - y.c0, x.c1 - y.c1) }

    @inline(never) static func * (x: Self, y: Self) -> Self {
        let first = Base.Wide.product(x.c0, y.c0)
        let second = Base.Wide.product(x.c1, y.c1)
        let cross = Base.Wide.product(Base.unreducedSum(x.c0, x.c1), Base.unreducedSum(y.c0, y.c1)) &- first &- second
        return Self((first - second).reduced, cross.reduced)
    }

    @inline(never) static func wideProduct(_ x: Self, _ y: Self) -> Fp2Wide<Base> {
        let first = Base.Wide.product(x.c0, y.c0)
        let second = Base.Wide.product(x.c1, y.c1)
        // (x0 + x1)(y0 + y1) >= x0 y0 + x1 y1 as integers, so these two differences cannot wrap.
        let cross = Base.Wide.product(Base.unreducedSum(x.c0, x.c1), Base.unreducedSum(y.c0, y.c1)) &- first &- second
        return Fp2Wide(first - second, cross)
    }

    /// (c0 + c1)(c0 - c1) + 2 c0 c1 i.
    @inline(never) var square: Self {
        Self(
            Base.product(Base.unreducedSum(c0, c1), c0 - c1),
            Base.product(Base.unreducedSum(c0, c0), c1))
    }

    @inline(__always) var squared: Self { square }

    @inline(__always) var conjugate: Self { Self(c0, -c1) }

    /// 3·self - 2·x, in one call.
    @inline(never) func triple(minusTwice x: Self) -> Self {
        Self((c0 - x.c0).doubled + c0, (c1 - x.c1).doubled + c1)
    }

    /// 3·self + 2·x, in one call.
    @inline(never) func triple(plusTwice x: Self) -> Self {
        Self((c0 + x.c0).doubled + c0, (c1 + x.c1).doubled + c1)
    }

    @inline(never) var doubled: Self { Self(c0.doubled, c1.doubled) }
    @inline(never) var tripled: Self { Self(c0.tripled, c1.tripled) }

    /// Times ξ = 1 + i, the non-residue of all towers.
    @inline(never) var timesXi: Self { Self(c0 - c1, c0 + c1) }

    @inline(never) func scaled(by factor: Base) -> Self { Self(c0 * factor, c1 * factor) }

    var norm: Base { c0.squared + c1.squared }

    var inverse: Self {
        let scale = norm.inverse
        return Self(c0 * scale, -(c1 * scale))
    }

    var inverseVariableTime: Self {
        let scale = norm.inverseVariableTime
        return Self(c0 * scale, -(c1 * scale))
    }

    @inline(__always) var isZeroMask: UInt64 { c0.isZeroMask & c1.isZeroMask }
    @inline(__always) func equalMask(_ other: Self) -> UInt64 { c0.equalMask(other.c0) & c1.equalMask(other.c1) }
    @inline(__always) static func select(_ mask: UInt64, _ x: Self, _ y: Self) -> Self {
        Self(.select(mask, x.c0, y.c0), .select(mask, x.c1, y.c1))
    }

    /// Parity of c0, or of c1 when c0 is 0: sgn0 of RFC 9380 section 4.1.
    var parity: UInt64 { c0.parity | (c0.isZeroMask & c1.parity) }

    /// A square root of a public value, or nil: the complex method with principal roots in Fp.
    var squareRootVariableTime: Self? {
        if c1.isZero {
            if let root = c0.squareRoot { return Self(root, .zero) }
            return (-c0).squareRoot.map { Self(.zero, $0) }
        }
        guard let length = norm.squareRoot else { return nil }
        guard let real = (c0 + length).halved.squareRoot ?? (c0 - length).halved.squareRoot else { return nil }
        let root = Self(real, c1 * real.doubled.inverseVariableTime)
        return root.squared == self ? root : nil
    }
}

/// An element of Fp2 whose coefficients wait for their reduction.
struct Fp2Wide<Base: PairingBaseField>: Sendable {
    var c0: Base.Wide
    var c1: Base.Wide

    @inline(__always) init(_ c0: Base.Wide, _ c1: Base.Wide) {
        self.c0 = c0
        self.c1 = c1
    }

    @inline(never) static func + (x: Self, y: Self) -> Self { Self(x.c0 + y.c0, x.c1 + y.c1) }
    @inline(never) static func - (x: Self, y: Self) -> Self { Self(x.c0 - y.c0, x.c1 - y.c1) }
    @inline(__always) var timesXi: Self { Self(c0 - c1, c0 + c1) }
    @inline(never) var reduced: Fp2<Base> { Fp2(c0.reduced, c1.reduced) }
}
