import Testing

@testable import Pairing

/// Every operation of every field against plain integers, on operands of full width where it takes such.
@Suite(.timeLimit(.minutes(10))) struct PlainArithmeticTests {
    @Test func bls12381BaseAgreesWithPlainIntegers() { check(BLS12381Fp.self) }
    @Test func bls12381ScalarAgreesWithPlainIntegers() { check(BLS12381Fr.self) }
    @Test func bn254BaseAgreesWithPlainIntegers() { check(BN254Fp.self) }
    @Test func bn254ScalarAgreesWithPlainIntegers() { check(BN254Fr.self) }
    @Test func bnp256BaseAgreesWithPlainIntegers() { check(BNP256Fp.self) }
    @Test func bnp256ScalarAgreesWithPlainIntegers() { check(BNP256Fr.self) }

    func check<F: PrimeField>(_: F.Type) {
        var random = TestRandom(seed: 71)
        readingAndReducing(F.self, &random)
        onElements(F.self, &random)
        productsOfLimbs(F.self, &random)
    }

    /// Whatever fits the bytes, in both orders, and whatever fits the limbs.
    private func readingAndReducing<F: PrimeField>(_: F.Type, _ random: inout TestRandom) {
        let p = F.plainModulus
        let bits = 8 * F.byteCount
        for value in F.awkward(bits: bits) + (0..<300).map({ _ in random.plain(bits: bits) }) {
            let bytes = value.bigEndian(F.byteCount)
            #expect(F(bigEndian: bytes)?.plain == (value < p ? value : nil), "\(value)")
            #expect(F(littleEndian: bytes.reversed())?.plain == (value < p ? value : nil), "\(value)")
            let raw = bytes.withUnsafeBytes { F.loadRaw(bigEndian: $0.baseAddress!) }
            #expect(raw.plainLimbs == value)
            #expect(
                raw.belowModulusMask == (value < p ? ~0 : 0) && raw.isZeroMask == (value == PlainInteger(0) ? ~0 : 0))
            #expect(raw.montgomery.plain == value % p, "\(value)")
            #expect(F(reducingBigEndian: bytes.suffix(64)).plain == value % p, "\(value)")
        }
        let width = 64 * F.modulus.count
        for value in F.awkward(bits: width) + (0..<300).map({ _ in random.plain(bits: width) }) {
            let raw = F(plainLimbs: value)
            #expect(raw.montgomery.plain == value % p, "\(value)")
            #expect(raw.belowModulusMask == (value < p ? ~0 : 0))
            #expect(raw.aboveHalfMask == (value + value > p ? ~0 : 0))
            #expect(raw.sumWithModulusFits == (value + p < F.plainRadix))
        }
        let halves = F.awkward(bits: 256)
        let pairs = halves.flatMap { high in halves.map { high.shifted(256) + $0 } }
        for value in pairs + (0..<1_000).map({ _ in random.plain(bits: 512) }) {
            let bytes = value.bigEndian(64)
            #expect(bytes.withUnsafeBytes { F.reduce(bigEndian64: $0) }.plain == value % p, "\(value)")
        }
        for count in [0, 1, 31, 32, 33, 48, 63] {
            let bytes = [UInt8](repeating: 0xff, count: count)
            #expect(F(reducingBigEndian: bytes).plain == PlainInteger(bigEndian: bytes) % p)
        }
    }

    /// On elements whose integers are awkward, and on such whose limbs are.
    private func onElements<F: PrimeField>(_: F.Type, _ random: inout TestRandom) {
        let p = F.plainModulus
        let one = PlainInteger(1)
        let awkward = F.awkward(bits: 64 * F.modulus.count).filter { $0 < p }
        var elements = awkward.map { F(plainLimbs: $0) } + awkward.map { F(plainLimbs: $0).montgomery }
        elements += (0..<20).map { _ in F(plainLimbs: random.plain(bits: 64 * F.modulus.count) % p) }
        for x in elements {
            let a = x.plain
            #expect(a < p && x.plainLimbs < p)
            #expect((a * F.plainRadix) % p == x.plainLimbs)
            #expect(x.canonical.plainLimbs == a)
            #expect((-x).plain == (p - a) % p && x.doubled.plain == (a + a) % p && x.tripled.plain == (a + a + a) % p)
            #expect(x.squared.plain == (a * a) % p)
            #expect((x.halved.plain + x.halved.plain) % p == a && x.halved.plainLimbs < p)
            #expect(
                x.rawHalf.plainLimbs + x.rawHalf.plainLimbs + (x.plainLimbs.isOdd ? one : PlainInteger(0))
                    == x.plainLimbs)
            #expect(x.parity == (a.isOdd ? 1 : 0) && x.isZero == (a == PlainInteger(0)))
            #expect((x.inverse.plain * a) % p == (x.isZero ? PlainInteger(0) : one))
            #expect(x.inverseVariableTime == x.inverse)
            for factor in [0, 1, 11, UInt64.max] {
                #expect(x.multiplied(bySmall: factor).plain == (PlainInteger(factor) * a) % p)
            }
            #expect(F(integer: .max).plain == PlainInteger(.max) % p)
            for y in elements {
                let b = y.plain
                #expect((x + y).plain == (a + b) % p && (x - y).plain == (a + p - b) % p)
                #expect((x * y).plain == (a * b) % p)
                #expect((x == y) == (a == b) && (x.equalMask(y) == ~0) == (a == b))
                let (difference, clear) = x.rawDifference(y)
                let (u, v) = (x.plainLimbs, y.plainLimbs)
                #expect(clear == (u >= v ? 1 : 0))
                #expect(difference.plainLimbs == (u >= v ? u - v : u + F.plainRadix - v))
            }
        }
    }

    /// The product takes any second factor that fits the limbs.
    private func productsOfLimbs<F: PrimeField>(_: F.Type, _ random: inout TestRandom) {
        let p = F.plainModulus
        let width = 64 * F.modulus.count
        let wide = F.awkward(bits: width) + (0..<20).map { _ in random.plain(bits: width) }
        for x in wide where x < p {
            for y in wide {
                let z = F.product(F(plainLimbs: x), F(plainLimbs: y)).plainLimbs
                #expect(z < p && (z * F.plainRadix) % p == (x * y) % p, "\(x) times \(y)")
            }
        }
    }

    @Test func bls12381DoubleWidthAgreesWithPlainIntegers() { checkWide(BLS12381Fp.self) }
    @Test func bn254DoubleWidthAgreesWithPlainIntegers() { checkWide(BN254Fp.self) }
    @Test func bnp256DoubleWidthAgreesWithPlainIntegers() { checkWide(BNP256Fp.self) }

    /// Double-width integers up to the bound p·R, and the quadratic extension made of them.
    func checkWide<F: PairingBaseField>(_: F.Type) {
        func wide(_ value: PlainInteger) -> F.Wide {
            withUnsafeTemporaryAllocation(of: F.Wide.self, capacity: 1) { buffer in
                UnsafeMutableRawBufferPointer(buffer).copyBytes(from: value.littleEndian(MemoryLayout<F.Wide>.size))
                return buffer[0]
            }
        }
        func plain(_ value: F.Wide) -> PlainInteger {
            PlainInteger(words: withUnsafeBytes(of: value) { Array($0.bindMemory(to: UInt64.self)) })
        }
        var random = TestRandom(seed: 72)
        let p = F.plainModulus
        let bound = p * F.plainRadix
        let one = PlainInteger(1)
        var values = F.awkward(bits: 128 * F.modulus.count).filter { $0 < bound }
        values += [bound - one, bound - p, p * p, p * p + p * p, p * F.plainRadix - F.plainRadix]
        values += (0..<20).map { _ in random.plain(bits: 128 * F.modulus.count) % bound }
        for a in values {
            let reduced = wide(a).reduced.plainLimbs
            #expect(reduced < p && (reduced * F.plainRadix) % p == a % p, "\(a)")
            for b in values {
                #expect(plain(wide(a) + wide(b)) == (a + b) % bound || a + b >= bound)
                #expect(plain(wide(a) + wide(b)) % p == (a + b) % p && plain(wide(a) + wide(b)) < bound)
                #expect(plain(wide(a) - wide(b)) % p == (a + bound - b) % p && plain(wide(a) - wide(b)) < bound)
                if a + b < bound { #expect(plain(wide(a) &+ wide(b)) == a + b) }
                if a >= b { #expect(plain(wide(a) &- wide(b)) == a - b) }
            }
        }
        let factors = F.awkward(bits: 64 * F.modulus.count).filter { $0 < p }
        for a in factors {
            for b in factors {
                let (x, y) = (F(plainLimbs: a), F(plainLimbs: b))
                #expect(plain(F.Wide.product(x, y)) == a * b && F.unreducedSum(x, y).plainLimbs == a + b)
                let sum = F.unreducedSum(x, y)
                #expect(plain(F.Wide.product(sum, sum)) == (a + b) * (a + b))
                let z = F.product(sum, y).plainLimbs
                #expect(z < p && (z * F.plainRadix) % p == ((a + b) * b) % p)
                quadratic(x, y)
            }
        }
    }

    private func quadratic<F: PairingBaseField>(_ x: F, _ y: F) {
        let p = F.plainModulus
        let (a, b) = (x.plain, y.plain)
        let e = Fp2(x, y)
        let real = ((a * a) + (p * p) - (b * b)) % p
        let imaginary = (a * b + a * b) % p
        for square in [e * e, e.squared, Fp2<F>.wideProduct(e, e).reduced] {
            #expect(square.c0.plain == real && square.c1.plain == imaginary)
        }
        let other = e * Fp2(y, x)
        #expect(other.c0.isZero && other.c1.plain == (a * a + b * b) % p)
        #expect(e.timesXi.c0.plain == (a + p - b) % p && e.timesXi.c1.plain == (a + b) % p)
        #expect(e.triple(minusTwice: Fp2(y, x)) == e.tripled - Fp2(y, x).doubled)
        #expect(e.triple(plusTwice: Fp2(y, x)) == e.tripled + Fp2(y, x).doubled)
        let (first, second) = Fp12<F>.square4(e, Fp2(y, x))
        #expect(first == e * e + (Fp2(y, x) * Fp2(y, x)).timesXi && second == (e * Fp2(y, x)).doubled)
    }
}
