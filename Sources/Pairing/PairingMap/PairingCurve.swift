/// The parameters that distinguish the pairings; all towers are built with i² = -1 and ξ = 1 + i.
protocol PairingCurve: Sendable {
    associatedtype Base: PairingBaseField
    associatedtype Group1: CurveGroup where Group1.Field == Base
    associatedtype Group2: CurveGroup where Group2.Field == Fp2<Base>

    /// Binary digits of the Miller loop count, after the leading one.
    static var loopDigits: [Bool] { get }
    /// Whether the loop parameter is negative.
    static var loopIsNegative: Bool { get }
    /// Whether the two lines through ψ(Q) and -ψ²(Q) end the loop (BN curves).
    static var addsFrobeniusLines: Bool { get }
    /// Whether a point of the twist is in the subgroup of order r.
    static func isInSubgroup(_ point: Point<Group2>) -> Bool
    /// Times the twist's coefficient b.
    static func timesTwistB(_ x: Fp2<Base>) -> Fp2<Base>
    /// Multiplies the accumulator by a line, whose three positions depend on the type of the twist.
    static func multiply(
        _ value: inout Fp12<Base>, y: Fp2<Base>, x: Fp2<Base>, constant: Fp2<Base>)
    /// The hard part of the final exponentiation.
    static func hardPart(_ value: Fp12<Base>) -> Fp12<Base>

    static var psiX: Fp2<Base> { get }
    static var psiY: Fp2<Base> { get }
    static var frobenius1: [Fp2<Base>] { get }
    static var frobenius2: [Base] { get }
    static var frobenius3: [Fp2<Base>] { get }
}

extension PairingCurve {
    /// ψ, the p-power Frobenius carried over to the twist.
    static func psi(_ point: AffinePoint<Group2>) -> AffinePoint<Group2> {
        AffinePoint(
            point.x.conjugate * psiX, point.y.conjugate * psiY, infinityMask: point.infinityMask)
    }

    static func psi(_ point: Point<Group2>) -> Point<Group2> {
        Point(point.x.conjugate * psiX, point.y.conjugate * psiY, point.z.conjugate)
    }

    /// x^p.
    static func frobenius1(_ f: Fp12<Base>) -> Fp12<Base> {
        let k = frobenius1
        return Fp12(
            Fp6(f.c0.c0.conjugate, f.c0.c1.conjugate * k[2], f.c0.c2.conjugate * k[4]),
            Fp6(f.c1.c0.conjugate * k[1], f.c1.c1.conjugate * k[3], f.c1.c2.conjugate * k[5]))
    }

    /// x^(p²).
    static func frobenius2(_ f: Fp12<Base>) -> Fp12<Base> {
        let k = frobenius2
        return Fp12(
            Fp6(f.c0.c0, f.c0.c1.scaled(by: k[2]), f.c0.c2.scaled(by: k[4])),
            Fp6(f.c1.c0.scaled(by: k[1]), f.c1.c1.scaled(by: k[3]), f.c1.c2.scaled(by: k[5])))
    }

    /// x^(p³).
    static func frobenius3(_ f: Fp12<Base>) -> Fp12<Base> {
        let k = frobenius3
        return Fp12(
            Fp6(f.c0.c0.conjugate, f.c0.c1.conjugate * k[2], f.c0.c2.conjugate * k[4]),
            Fp6(f.c1.c0.conjugate * k[1], f.c1.c1.conjugate * k[3], f.c1.c2.conjugate * k[5]))
    }

    /// Raises to a fixed multiple of (p¹² - 1)/r that is prime to r: into the group of order r. Public values only.
    static func finalExponentiation(_ f: Fp12<Base>) -> Fp12<Base> {
        let easy = f.conjugate * f.inverseVariableTime
        return hardPart(frobenius2(easy) * easy)
    }
}
