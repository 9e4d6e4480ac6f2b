/// Fp6[w]/(w² - v), where pairing values live.
struct Fp12<Base: PairingBaseField>: Equatable, Sendable {
    typealias Coefficient = Fp2<Base>
    var c0: Fp6<Base>
    var c1: Fp6<Base>

    @inline(__always) init(_ c0: Fp6<Base>, _ c1: Fp6<Base>) {
        self.c0 = c0
        self.c1 = c1
    }

    @inline(__always) static var one: Self { Self(.one, .zero) }

    @inline(never) static func * (x: Self, y: Self) -> Self {
        let v0 = x.c0 * y.c0
        let v1 = x.c1 * y.c1
        let cross = (x.c0 + x.c1) * (y.c0 + y.c1)
        return Self(v0 + v1.timesV, cross - v0 - v1)
    }

    /// Complex squaring: two products in Fp6.
    @inline(never) var square: Self {
        let product = c0 * c1
        let mixed = (c0 + c1) * (c0 + c1.timesV)
        return Self(mixed - product - product.timesV, product + product)
    }

    /// w -> -w; the inverse in the cyclotomic subgroup.
    @inline(__always) var conjugate: Self { Self(c0, -c1) }

    /// 1/x, of a public value.
    var inverseVariableTime: Self {
        let scale = (c0 * c0 - (c1 * c1).timesV).inverseVariableTime
        return Self(c0 * scale, -(c1 * scale))
    }

    /// Times a0 + a1·v + b1·v·w: the line of an M-type twist.
    @inline(never) mutating func multiply(a0: Coefficient, a1: Coefficient, b1: Coefficient) {
        let v0 = c0.times(a0, a1)
        let v1 = c1.timesV(b1)
        let cross = (c0 + c1).times(a0, a1 + b1)
        self = Self(v0 + v1.timesV, cross - v0 - v1)
    }

    /// Times a0 + b0·w + b1·v·w: the line of a D-type twist.
    @inline(never) mutating func multiply(a0: Coefficient, b0: Coefficient, b1: Coefficient) {
        let v0 = c0.scaled(by: a0)
        let v1 = c1.times(b0, b1)
        let cross = (c0 + c1).times(a0 + b0, b1)
        self = Self(v0 + v1.timesV, cross - v0 - v1)
    }
}
