/// The lines of the Miller loop for one point of G2, computed once and used with any number of points of G1.
struct PreparedG2<Curve: PairingCurve>: Sendable {
    typealias Field = Fp2<Curve.Base>

    /// A line as its value at (xP, yP): y·yP + x·xP + constant, each at its own place in Fp12.
    struct Line: Sendable {
        var y: Field
        var x: Field
        var constant: Field
    }

    let lines: [Line]
    let isInfinity: Bool

    /// - Parameter point: in the subgroup of order r, which debug builds check; public.
    init(_ point: AffinePoint<Curve.Group2>) {
        require(Point(point).isOnCurve && Curve.isInSubgroup(Point(point)), "the lines of a point outside G2")
        isInfinity = point.isInfinity
        guard !isInfinity else {
            lines = []
            return
        }
        var lines: [Line] = []
        lines.reserveCapacity(2 * Curve.loopDigits.count)
        var running = Point(point)
        for digit in Curve.loopDigits {
            lines.append(Self.double(&running))
            if digit { lines.append(Self.add(point, to: &running)) }
        }
        if Curve.addsFrobeniusLines {
            if Curve.loopIsNegative { running = -running }
            let first = Curve.psi(point)
            lines.append(Self.add(first, to: &running))
            lines.append(Self.add(-Curve.psi(first), to: &running))
        }
        self.lines = lines
    }

    /// Tangent at the running point, which is doubled.
    ///
    /// - Source: Aranha et al., "Faster explicit formulas for computing pairings over ordinary curves", section 4, with
    ///   the coordinates scaled by 4 to avoid the halvings.
    @inline(never)
    private static func double(_ t: inout Point<Curve.Group2>) -> Line {
        let b = t.y.squared
        let c = t.z.squared
        let e = Curve.timesTwistB(c.tripled)
        let f = e.tripled
        let h = (t.y + t.z).squared - b - c
        let tangent = t.x.squared.tripled
        let ee = e.squared
        let xy = t.x * t.y
        t = Point(
            (xy * (b - f)).doubled,
            (b + f).squared - ee.tripled.quadrupled,
            (b * h).quadrupled)
        return Line(y: -h, x: tangent, constant: e - b)
    }

    /// Line through the running point and q, which is added.
    @inline(never)
    private static func add(_ q: AffinePoint<Curve.Group2>, to t: inout Point<Curve.Group2>) -> Line {
        let theta = t.y - q.y * t.z
        let lambda = t.x - q.x * t.z
        let c = theta.squared
        let d = lambda.squared
        let e = lambda * d
        let f = t.z * c
        let g = t.x * d
        let h = e + f - g.doubled
        t = Point(lambda * h, theta * (g - h) - e * t.y, t.z * e)
        return Line(y: lambda, x: -theta, constant: theta * q.x - lambda * q.y)
    }
}
