/// Fp2[v]/(v³ - ξ).
struct Fp6<Base: PairingBaseField>: Equatable, Sendable {
    typealias Coefficient = Fp2<Base>
    var c0: Coefficient
    var c1: Coefficient
    var c2: Coefficient

    @inline(__always) init(_ c0: Coefficient, _ c1: Coefficient, _ c2: Coefficient) {
        self.c0 = c0
        self.c1 = c1
        self.c2 = c2
    }

    @inline(__always) static var zero: Self { Self(.zero, .zero, .zero) }
    @inline(__always) static var one: Self { Self(.one, .zero, .zero) }

    @inline(__always) static func + (x: Self, y: Self) -> Self { Self(x.c0 + y.c0, x.c1 + y.c1, x.c2 + y.c2) }
    @inline(__always) static func - (x: Self, y: Self) -> Self { Self(x.c0 - y.c0, x.c1 - y.c1, x.c2 - y.c2) }
    @inline(__always) static prefix func - (x: Self) -> Self { Self(-x.c0, -x.c1, -x.c2) }

    /// Six products and, because their sums stay double-width, three reductions.
    @inline(never) static func * (x: Self, y: Self) -> Self {
        let v0 = Coefficient.wideProduct(x.c0, y.c0)
        let v1 = Coefficient.wideProduct(x.c1, y.c1)
        let v2 = Coefficient.wideProduct(x.c2, y.c2)
        let t0 = Coefficient.wideProduct(x.c1 + x.c2, y.c1 + y.c2) - v1 - v2
        let t1 = Coefficient.wideProduct(x.c0 + x.c1, y.c0 + y.c1) - v0 - v1
        let t2 = Coefficient.wideProduct(x.c0 + x.c2, y.c0 + y.c2) - v0 - v2
        return Self((t0.timesXi + v0).reduced, (t1 + v2.timesXi).reduced, (t2 + v1).reduced)
    }

    @inline(__always) var timesV: Self { Self(c2.timesXi, c0, c1) }

    /// Times y0 + y1·v.
    @inline(never) func times(_ y0: Coefficient, _ y1: Coefficient) -> Self {
        let v0 = Coefficient.wideProduct(c0, y0)
        let v1 = Coefficient.wideProduct(c1, y1)
        let t0 = Coefficient.wideProduct(c2, y1)
        let t1 = Coefficient.wideProduct(c0 + c1, y0 + y1) - v0 - v1
        let t2 = Coefficient.wideProduct(c2, y0)
        return Self((t0.timesXi + v0).reduced, t1.reduced, (t2 + v1).reduced)
    }

    /// Times y·v.
    @inline(__always) func timesV(_ y: Coefficient) -> Self {
        Self((c2 * y).timesXi, c0 * y, c1 * y)
    }

    /// Times y in Fp2.
    @inline(__always) func scaled(by y: Coefficient) -> Self { Self(c0 * y, c1 * y, c2 * y) }

    /// 1/x, of a public value.
    var inverseVariableTime: Self {
        let a = c0.squared - (c1 * c2).timesXi
        let b = c2.squared.timesXi - c0 * c1
        let c = c1.squared - c0 * c2
        let scale = ((c1 * c + c2 * b).timesXi + c0 * a).inverseVariableTime
        return Self(a * scale, b * scale, c * scale)
    }
}
