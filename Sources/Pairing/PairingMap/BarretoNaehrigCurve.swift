/// What the pairings of Barreto-Naehrig curves with a negative parameter u share: p = 36u⁴ + 36u³ + 24u² + 6u + 1, and the
/// loop count 6u + 2.
protocol BarretoNaehrigCurve: PairingCurve {
    /// |u|.
    static var parameter: UInt64 { get }
}

extension BarretoNaehrigCurve {
    static var loopIsNegative: Bool { true }
    static var addsFrobeniusLines: Bool { true }

    /// Q is in the subgroup of order r exactly when ψ(Q) = [6u²]Q: ψ is a root of its characteristic polynomial
    /// x² - tx + p, whose value at 6u² = t - 1 is r. The cofactor of G1 is 1, so the curve equation suffices there.
    static func isInSubgroup(_ point: Point<Group2>) -> Bool {
        let multiple = point.multipliedVariableTime(by: parameter).multipliedVariableTime(by: parameter)
        return psi(point) == multiple.doubled + multiple.doubled.doubled
    }

    /// A power of (p⁴ - p² + 1)/r prime to r, with three powers of u.
    ///
    /// - Source: Fuentes-Castañeda, Knapp and Rodríguez-Henríquez, "Faster hashing to G2", 2011, section 5.
    static func hardPart(_ f: Fp12<Base>) -> Fp12<Base> {
        // u is negative: a plain power of |u| is a power of -u.
        let f2u = f.cyclotomicPower(parameter).cyclotomicSquare
        let f6u = f2u.cyclotomicSquare * f2u
        let f6uu = f6u.cyclotomicPower(parameter)
        let f12uuu = f6uu.cyclotomicSquare.cyclotomicPower(parameter)
        let a = f12uuu.conjugate * f6uu * f6u.conjugate
        let b = a * f2u
        let first = a * f6uu * f
        let last = frobenius3(f.conjugate * b)
        return last * frobenius2(a) * frobenius1(b) * first
    }
}
