/// Four of the six coefficients of an element of the cyclotomic subgroup: enough to square it, and to find the other two.
///
/// - Source: Karabina, "Squaring in cyclotomic subgroups", 2010, in the coordinates of Granger and Scott's squaring.
struct CompressedCyclotomic<Base: PairingBaseField> {
    typealias Coefficient = Fp2<Base>
    private var z2: Coefficient
    private var z3: Coefficient
    private var z4: Coefficient
    private var z5: Coefficient

    init(_ value: Fp12<Base>) { (z2, z3, z4, z5) = (value.c1.c0, value.c0.c2, value.c0.c1, value.c1.c2) }

    /// Six squarings in Fp2 instead of nine.
    @inline(never) mutating func square() {
        let (t2, t3) = Fp12.square4(z2, z3)
        let (t4, t5) = Fp12.square4(z4, z5)
        z4 = t2.triple(minusTwice: z4)
        z5 = t3.triple(plusTwice: z5)
        z3 = t4.triple(minusTwice: z3)
        z2 = t5.timesXi.triple(plusTwice: z2)
    }

    /// The product of public elements, by one inversion; nil if one of them has no z2, as 1 has none.
    static func productVariableTime(_ elements: [Self]) -> Fp12<Base>? {
        var products: [Coefficient] = []
        var all = Coefficient.one
        for element in elements {
            products.append(all)
            all = all * element.z2
        }
        guard !all.isZero else { return nil }
        var inverse = all.inverseVariableTime
        var result: Fp12<Base>?
        for (element, before) in zip(elements, products).reversed() {
            let value = element.whole(inverse * before)
            inverse = inverse * element.z2
            result = result.map { $0 * value } ?? value
        }
        return result
    }

    /// - Parameter inverse: 1/z2.
    private func whole(_ inverse: Coefficient) -> Fp12<Base> {
        let numerator = z5.squared.timesXi + z4.squared.tripled - z3.doubled
        let fourth = numerator * inverse
        let z1 = Coefficient(fourth.c0.halved.halved, fourth.c1.halved.halved)
        let z0 = (z1.squared.doubled + z2 * z5 - (z3 * z4).tripled).timesXi + .one
        return Fp12(Fp6(z0, z4, z3), Fp6(z2, z1, z5))
    }
}
