extension PairingCurve {
    /// The product of the Miller functions of several pairs: one shared squaring for each digit of the loop.
    ///
    /// Pairs with infinity contribute 1.
    static func millerLoop(_ pairs: [(AffinePoint<Group1>, PreparedG2<Self>)]) -> Fp12<Base> {
        let live = pairs.filter { !$0.0.isInfinity && !$0.1.isInfinity }
        var value = Fp12<Base>.one
        guard !live.isEmpty else { return value }
        var line = 0
        func multiplyLines() {
            for (point, prepared) in live {
                let entry = prepared.lines[line]
                multiply(
                    &value, y: entry.y.scaled(by: point.y), x: entry.x.scaled(by: point.x), constant: entry.constant)
            }
            line += 1
        }
        for (index, digit) in loopDigits.enumerated() {
            if index != 0 { value = value.square }
            multiplyLines()
            if digit { multiplyLines() }
        }
        if loopIsNegative { value = value.conjugate }
        if addsFrobeniusLines {
            multiplyLines()
            multiplyLines()
        }
        return value
    }

    /// Π e(P, Q) with one final exponentiation.
    static func pairing(_ pairs: [(AffinePoint<Group1>, PreparedG2<Self>)]) -> Fp12<Base> {
        finalExponentiation(millerLoop(pairs))
    }

    /// Whether Π e(P, Q) = 1.
    static func productIsOne(_ pairs: [(AffinePoint<Group1>, PreparedG2<Self>)]) -> Bool {
        pairing(pairs) == .one
    }
}
