import Testing

@testable import Pairing

/// Group laws, the constant-time multiplication and the fast subgroup checks, each against the plain method.
@Suite(.timeLimit(.minutes(10))) struct CurveTests {
    @Test func bls12381G1ObeysTheGroupLaws() { checkGroup(BLS12381.G1Curve.self, order: BLS12381Fr.modulus) }
    @Test func bls12381G2ObeysTheGroupLaws() { checkGroup(BLS12381.G2Curve.self, order: BLS12381Fr.modulus) }
    @Test func bn254G1ObeysTheGroupLaws() { checkGroup(BN254.G1Curve.self, order: BN254Fr.modulus) }
    @Test func bn254G2ObeysTheGroupLaws() { checkGroup(BN254.G2Curve.self, order: BN254Fr.modulus) }

    func checkGroup<Group: CurveGroup>(_: Group.Type, order: [UInt64]) {
        var random = TestRandom(seed: 21)
        let g = Point<Group>.generator
        #expect(g.multipliedVariableTime(by: order).isInfinity)
        #expect(Point<Group>.infinity.doubled.isInfinity)
        #expect((g + .infinity) == g && (Point.infinity + g) == g && (g - g).isInfinity && (g + g) == g.doubled)
        #expect(Point(g.affine) == g && Point(AffinePoint<Group>.infinity).isInfinity)
        for _ in 0..<8 {
            let (a, b) = (random.words(3), random.words(4))
            let (p, q) = (g.multipliedVariableTime(by: a), g.multipliedVariableTime(by: b))
            #expect((p + q) + g == p + (q + g))
            #expect((p + q) - q == p)
            #expect(plain(g, a) == p)
            let littleEndian = a.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
            littleEndian.withUnsafeBytes { #expect(g.multiplied(bySecret: $0, bigEndian: false) == p) }
            Array(littleEndian.reversed()).withUnsafeBytes {
                #expect(g.multiplied(bySecret: $0, bigEndian: true) == p)
            }
            let sum = Point.sumVariableTime([(p, b), (q, a), (.infinity, a), (g, [0])])
            #expect(sum == plain(p, b) + plain(q, a))
            let batch = Point.affineVariableTime([p, .infinity, q])
            #expect(batch == [p.affine, .infinity, q.affine] && p.affine == p.affineVariableTime)
            #expect(Group.contains(p.affine.x, p.affine.y))
        }
    }

    /// Double and add, the oracle.
    func plain<Group: CurveGroup>(_ point: Point<Group>, _ scalar: [UInt64]) -> Point<Group> {
        var result = Point<Group>.infinity
        for word in scalar.reversed() {
            for shift in (0..<64).reversed() {
                result = result + result
                if (word >> UInt64(shift)) & 1 != 0 { result = result + point }
            }
        }
        return result
    }

    /// Random points of the whole curve: almost all lie outside the subgroup.
    @Test func bls12381SubgroupChecks() {
        var random = TestRandom(seed: 22)
        let order = BLS12381Fr.modulus
        var tried = 0
        while tried < 20 {
            let x = random.field(BLS12381Fp.self)
            guard let y = (x.squared * x + BLS12381.G1Curve.b).squareRoot else { continue }
            tried += 1
            let point = Point<BLS12381.G1Curve>(x, y, .one)
            #expect(BLS12381.isInSubgroup(point) == plain(point, order).isInfinity)
            let cleared = BLS12381.clearCofactor(point)
            #expect(BLS12381.isInSubgroup(cleared) && plain(cleared, order).isInfinity && !cleared.isInfinity)
            #expect(!BLS12381.isInSubgroup(point) && !BLS12381.isInSubgroup(point + .generator))
        }
        tried = 0
        while tried < 20 {
            let x = Fp2(random.field(BLS12381Fp.self), random.field(BLS12381Fp.self))
            guard let y = (x.squared * x + BLS12381.G2Curve.b).squareRootVariableTime else { continue }
            tried += 1
            let point = Point<BLS12381.G2Curve>(x, y, .one)
            #expect(BLS12381.isInSubgroup(point) == plain(point, order).isInfinity)
            let cleared = BLS12381.clearCofactor(point)
            #expect(BLS12381.isInSubgroup(cleared) && plain(cleared, order).isInfinity && !cleared.isInfinity)
            #expect(!BLS12381.isInSubgroup(point) && !BLS12381.isInSubgroup(point + .generator))
            // h_eff of RFC 9380 section 8.8.2.
            #expect(plain(point, effectiveCofactor) == cleared)
        }
        #expect(BLS12381.isInSubgroup(Point<BLS12381.G1Curve>.generator.doubled))
        #expect(BLS12381.isInSubgroup(Point<BLS12381.G2Curve>.generator.doubled))
    }

    let effectiveCofactor: [UInt64] = [
        0xe802_0005_aaa9_5551, 0x5989_4c0a_debb_f6b4, 0xe954_cbc0_6689_f6a3, 0x2ec0_ec69_d747_7c1a,
        0x6d82_bf01_5d12_12b0, 0x329c_2f17_8731_db95, 0x9986_ff03_1508_ffe1, 0x88e2_a8e9_145a_d768,
        0x584c_6a0e_a91b_3528, 0x0bc6_9f08_f2ee_75b3,
    ]

    @Test func bn254SubgroupChecks() {
        var random = TestRandom(seed: 23)
        let order = BN254Fr.modulus
        var tried = 0
        while tried < 30 {
            let x = Fp2(random.field(BN254Fp.self), random.field(BN254Fp.self))
            guard let y = (x.squared * x + BN254.G2Curve.b).squareRootVariableTime else { continue }
            tried += 1
            let point = Point<BN254.G2Curve>(x, y, .one)
            #expect(BN254.isInSubgroup(point) == plain(point, order).isInfinity)
            #expect(!BN254.isInSubgroup(point) && !BN254.isInSubgroup(point + .generator))
            // Points of the cofactor's small orders, alone and added to a good point.
            let outside = plain(point, order)
            for factor in [UInt64(13), 96757] {
                let small = plain(outside, cofactor(without: factor))
                guard !small.isInfinity else { continue }
                #expect(plain(small, [factor]).isInfinity)
                #expect(!BN254.isInSubgroup(small) && !BN254.isInSubgroup(small + .generator))
            }
            let cleared = plain(point, cofactor(without: 1))
            #expect(BN254.isInSubgroup(cleared) && plain(cleared, order).isInfinity && !cleared.isInfinity)
        }
        #expect(BN254.isInSubgroup(Point<BN254.G2Curve>.generator.doubled))
    }

    /// The cofactor p - 1 + t of the twist, divided by one of its factors.
    func cofactor(without factor: UInt64) -> [UInt64] {
        let cofactor: [UInt64] = [
            0xad00_0000_0000_0019, 0xc2a2_8000_0000_0016, 0xba34_4d80_0000_0008, 0x2523_6482_4000_0001,
        ]
        var quotient = [UInt64](repeating: 0, count: 4)
        var remainder: UInt64 = 0
        for index in (0..<4).reversed() {
            (quotient[index], remainder) = factor.dividingFullWidth((remainder, cofactor[index]))
        }
        #expect(remainder == 0)
        return quotient
    }
}
