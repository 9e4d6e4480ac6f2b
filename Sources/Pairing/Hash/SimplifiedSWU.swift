/// The simplified Shallue-van de Woestijne-Ulas map of RFC 9380 section 6.6.2 with the isogenies of section 6.6.3.
///
/// Messages are public, so none of this hides its input.
enum SimplifiedSWU {
    typealias Fp = BLS12381Fp

    /// Which of ±y belongs to u.
    enum SignRule {
        /// RFC 9380: y and u have the same parity.
        case parity
        /// Draft 06 of the RFC, kept by BBS+: y and u are both above (p - 1)/2, or neither is.
        case halves
    }

    /// A rational point of the isogenous curve of G1: x = numerator / denominator.
    static func mapToIsogenousG1(_ u: Fp, sign: SignRule) -> (numerator: Fp, denominator: Fp, y: Fp) {
        let a = BLS12381.swuA
        let b = BLS12381.swuB
        let zuu = u.squared.multiplied(bySmall: 11)
        let sum = zuu.squared + zuu
        let numerator = b * (sum + .one)
        let denominator = a * (sum.isZero ? Fp(integer: 11) : -sum)
        // g(x) = (n³ + a n d² + b d³) / d³
        let dd = denominator.squared
        let ddd = dd * denominator
        let value = (numerator.squared + a * dd) * numerator + b * ddd
        let (isSquare, root) = ratioRoot(value, ddd)
        let y = isSquare ? root : zuu * u * root
        let x = isSquare ? numerator : zuu * numerator
        let agrees =
            switch sign {
            case .parity: y.parity == u.parity
            case .halves: y.canonical.aboveHalfMask == u.canonical.aboveHalfMask
            }
        return (x, denominator, agrees ? y : -y)
    }

    /// √(u/v), or √(Z·u/v) when u/v is no square (RFC 9380 appendix F.2.1.2).
    private static func ratioRoot(_ u: Fp, _ v: Fp) -> (Bool, Fp) {
        let uv = u * v
        let root = (v.squared * uv).power(Fp.ratioExponent) * uv
        return root.squared * v == u ? (true, root) : (false, root * BLS12381.swuRoot)
    }

    /// The same for G2, with x already divided.
    static func mapToIsogenousG2(_ u: Fp2<Fp>) -> (x: Fp2<Fp>, y: Fp2<Fp>)? {
        let a = Fp2<Fp>(.zero, Fp(integer: 240))
        let b = Fp2<Fp>(Fp(integer: 1012), Fp(integer: 1012))
        let z = Fp2<Fp>(-Fp(integer: 2), -.one)
        let zuu = z * u.squared
        let sum = zuu.squared + zuu
        let denominator = a * (sum.isZero ? z : -sum)
        let first = b * (sum + .one) * denominator.inverseVariableTime
        for x in [first, zuu * first] {
            let value = (x.squared + a) * x + b
            if let y = value.squareRootVariableTime { return (x, y.parity == u.parity ? y : -y) }
        }
        return nil  // one of the two is a square whenever u is a field element
    }

    /// Σ coefficient·x^i, homogenised: Σ coefficient·n^i·d^(degree - i).
    static func evaluate<F: FieldElement>(_ coefficients: [F], numerator: F, denominatorPowers: [F]) -> F {
        var result = coefficients[coefficients.count - 1]
        for (step, coefficient) in coefficients.dropLast().reversed().enumerated() {
            result = result * numerator + coefficient * denominatorPowers[step]
        }
        return result
    }

    /// Carries (n/d, y) over the isogeny given by four polynomials, into homogeneous coordinates.
    static func isogeny<Group: CurveGroup>(
        numerator: Group.Field, denominator: Group.Field, y: Group.Field,
        maps: (
            xNumerator: [Group.Field], xDenominator: [Group.Field], yNumerator: [Group.Field],
            yDenominator: [Group.Field]
        ),
        to _: Group.Type
    ) -> Point<Group> {
        var powers = [denominator]
        while powers.count < maps.yNumerator.count { powers.append(powers[powers.count - 1] * denominator) }
        func value(_ coefficients: [Group.Field]) -> Group.Field {
            evaluate(coefficients, numerator: numerator, denominatorPowers: powers)
        }
        // Homogenising leaves x with one factor d too few below, and y with none.
        let xDenominator = value(maps.xDenominator) * denominator
        let yDenominator = value(maps.yDenominator)
        // The kernel of the isogeny goes to infinity.
        if (xDenominator * yDenominator).isZero { return .infinity }
        return Point(
            value(maps.xNumerator) * yDenominator,
            y * value(maps.yNumerator) * xDenominator,
            xDenominator * yDenominator)
    }
}
