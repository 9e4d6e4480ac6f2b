/// Recovers S = [h]P when a token, which alone knows h, returned only the x coordinate of S (ECDH without a KDF).
///
/// Both methods also prove that the token used the h behind the given public value; a wrong answer throws. S is not a
/// key but must not leave the signing component, and P is always a hash output, never a caller's point.
enum AnchoredPoint<Curve: PairingCurve> {
    typealias G1 = Point<Curve.Group1>

    /// The sign for which e(S, Q) = e(P, [h]Q), Q being the base point of G2.
    static func recover(
        x: Curve.Base, hash: G1, base: PreparedG2<Curve>, anchor: PreparedG2<Curve>
    ) throws(PairingError) -> G1 {
        let candidate = try lift(x)
        guard !hash.isInfinity, !anchor.isInfinity else { throw .infinity }
        let left = Curve.millerLoop([(AffinePoint(candidate.x, candidate.y, infinityMask: 0), base)])
        let right = Curve.millerLoop([(hash.affineVariableTime, anchor)])
        // The final exponentiation turns a conjugate into an inverse.
        if Curve.finalExponentiation(left * right.conjugate) == .one { return candidate }
        if Curve.finalExponentiation(left * right) == .one { return -candidate }
        throw .verificationFailed
    }

    /// The sign for which x(S + A) is what the token returned for P + G, where A = [h]G; no pairing. The true point is
    /// one of S and -S, and the two sums differ in x because neither S nor A has order 2.
    static func recover(x: Curve.Base, xOfSum: Curve.Base, hash: G1, anchor: G1) throws(PairingError) -> G1 {
        let candidate = try lift(x)
        let a = anchor.affineVariableTime
        // Positions of negligible probability that only the pairing decides.
        guard !hash.isInfinity, !a.isInfinity, !(hash + .generator).isInfinity, x != a.x else {
            throw .invalidHashInput
        }
        let inverse = (x - a.x).inverseVariableTime
        func sum(_ y: Curve.Base) -> Curve.Base { ((y - a.y) * inverse).squared - x - a.x }
        if sum(candidate.y) == xOfSum { return candidate }
        if sum(-candidate.y) == xOfSum { return -candidate }
        throw .verificationFailed
    }

    private static func lift(_ x: Curve.Base) throws(PairingError) -> G1 {
        guard let y = (x.squared * x + Curve.Group1.b).squareRoot else { throw .notOnCurve }
        return G1(x, y, .one)
    }
}
