import Testing

@testable import Pairing

/// The curve of TPMs. Vectors come from the independent Python in Tests/acceptance/support/bnp256.py.
@Suite(.timeLimit(.minutes(10))) struct BNP256Tests {
    @Test func bnp256BaseFieldObeysTheFieldLaws() { FieldTests().checkField(BNP256Fp.self) }
    @Test func bnp256ScalarFieldObeysTheFieldLaws() { FieldTests().checkField(BNP256Fr.self) }
    @Test func bnp256G1ObeysTheGroupLaws() { CurveTests().checkGroup(BNP256.G1Curve.self, order: BNP256Fr.modulus) }
    @Test func bnp256G2ObeysTheGroupLaws() { CurveTests().checkGroup(BNP256.G2Curve.self, order: BNP256Fr.modulus) }
    @Test func bnp256PairingIsBilinear() { TowerTests().checkBilinearity(BNP256.self) }
    @Test func lazySumsStayBelowTheBound() {
        FieldTests().checkCyclotomicWorstCase(Fp2<BNP256Fp>(-.one, -.one))
    }

    @Test func pairingValuesHaveOrderR() {
        let value = BNP256.pairing([(.generator, BNP256.preparedGenerator)])
        var power = Fp12<BNP256Fp>.one
        for word in BNP256Fr.modulus.reversed() {
            for shift in (0..<64).reversed() {
                power = power.square
                if (word >> UInt64(shift)) & 1 != 0 { power = power * value }
            }
        }
        #expect(value != .one && power == .one)
    }

    @Test func subgroupOfTheTwist() throws {
        var random = TestRandom(seed: 31)
        var tried = 0
        while tried < 20 {
            let x = Fp2(random.field(BNP256Fp.self), random.field(BNP256Fp.self))
            guard let y = (x.squared * x + BNP256.G2Curve.b).squareRootVariableTime else { continue }
            tried += 1
            let point = Point<BNP256.G2Curve>(x, y, .one)
            let isInside = point.multipliedVariableTime(by: BNP256Fr.modulus).isInfinity
            #expect(BNP256.isInSubgroup(point) == isInside && !isInside)
            #expect(!BNP256.isInSubgroup(point + .generator))
            // Written by hand: no such point becomes a G2Point.
            let encoded = CompressedEncoding.bytes(
                x: x.c1.bigEndianBytes + x.c0.bigEndianBytes, yParity: y.parity)
            #expect(throws: PairingError.notInSubgroup) { try BNP256.G2Point(compressed: encoded) }
        }
        let good = BNP256.G2Point.generator + .generator
        #expect(BNP256.isInSubgroup(good.point))
    }

    @Test func encodingsAreStrict() throws {
        let point = try BNP256.hashToG1([1], tag: [2])
        let key = BNP256.G2Point.generator + .generator
        let uncompressed = try #require(point.uncompressed)
        #expect(try BNP256.G1Point(compressed: point.compressed) == point)
        #expect(try BNP256.G1Point(compressed: (-point).compressed) == -point)
        #expect(try BNP256.G1Point(uncompressed: uncompressed) == point)
        #expect(try BNP256.G2Point(compressed: key.compressed) == key)
        #expect(try BNP256.G2Point(compressed: (-key).compressed) == -key)

        let modulus = BNP256Fp.modulus.prefix(4).reversed().flatMap { word in
            (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
        #expect(throws: PairingError.notCanonical) { try BNP256.G1Point(compressed: [2] + modulus) }
        #expect(throws: PairingError.notCanonical) {
            try BNP256.G2Point(compressed: [2] + modulus + [UInt8](repeating: 0, count: 32))
        }
        for first in [UInt8(0), 1, 4, 0x82] {
            #expect(throws: PairingError.invalidFlags) {
                try BNP256.G1Point(compressed: [first] + point.compressed.dropFirst())
            }
        }
        #expect(throws: PairingError.wrongLength(expected: 33, actual: 32)) {
            try BNP256.G1Point(compressed: point.compressed.dropLast())
        }
        let none = BNP256.G1Point.infinity
        #expect(none.uncompressed == nil && none.compressed.count == 33)
        #expect(throws: PairingError.infinity) { try BNP256.G1Point(compressed: none.compressed) }
        #expect(throws: PairingError.infinity) { try BNP256.G2Point(compressed: [UInt8](repeating: 0, count: 65)) }
        // g(4) = 67 is no square.
        let four = [UInt8](repeating: 0, count: 31) + [4]
        #expect((BNP256Fp(integer: 67).legendreSymbol == 1) == ((try? BNP256.G1Point(compressed: [2] + four)) != nil))
        var moved = uncompressed
        moved[64] ^= 1
        #expect(throws: PairingError.notOnCurve) { try BNP256.G1Point(uncompressed: moved) }
        moved[0] = 2
        #expect(throws: PairingError.invalidFlags) { try BNP256.G1Point(uncompressed: moved) }
    }

    /// Exceptional inputs of the map: u = 0, and where 1 - 16u⁴ = 0.
    @Test func theMapIsDefinedEverywhere() throws {
        let half = BNP256Fp.one.halved
        for u in [BNP256Fp.zero, half, -half, .one, -.one] {
            let point = try BNP256.mapToG1(u)
            #expect(BNP256.G1Curve.contains(point.x, point.y) && point.y.parity == u.parity)
        }
    }

    @Test func halvesAddUp() throws {
        let message = try BLSBNP256.HashedMessage(Array("halves".utf8))
        let one = key(3)
        let two = key(5)
        var sum = [UInt8](repeating: 0, count: 32)
        var difference = [UInt8](repeating: 0, count: 32)
        try one.withUnsafeBytes { one in
            try two.withUnsafeBytes { two in
                try sum.withUnsafeMutableBytes { try BLSBNP256.add(one, two, into: $0) }
                try difference.withUnsafeMutableBytes { try BLSBNP256.subtract(one, two, into: $0) }
            }
        }
        let keys = try [one, two, sum].map { key in
            try key.withUnsafeBytes { bytes throws(PairingError) in try BLSBNP256.publicKey(of: bytes) }
        }
        let signatures = try [one, two, sum].map { key in
            try key.withUnsafeBytes { bytes throws(PairingError) in try BLSBNP256.sign(message, secretKey: bytes) }
        }
        #expect(keys[0] + keys[1] == keys[2])
        #expect(signatures[0] + signatures[1] == signatures[2])
        let prepared = BNP256.PreparedPublicKey(keys[2])
        #expect(BLSBNP256.verify(signatures[2], message: message, publicKey: prepared))
        #expect(!BLSBNP256.verify(signatures[0], message: message, publicKey: prepared))
        #expect(!BLSBNP256.verify(.infinity, message: message, publicKey: prepared))
        #expect(
            !BLSBNP256.verify(
                signatures[2], message: try BLSBNP256.HashedMessage([1]), publicKey: prepared))
        let anchor = try sum.withUnsafeBytes { bytes throws(PairingError) in try BLSBNP256.anchorPoint(of: bytes) }
        #expect(BLSBNP256.isAnchor(anchor, of: prepared))
        #expect(!BLSBNP256.isAnchor(anchor + .generator, of: prepared))
        for wrong in [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 255, count: 32)] {
            #expect(throws: PairingError.scalarOutOfRange) {
                try wrong.withUnsafeBytes { bytes throws(PairingError) in try BLSBNP256.publicKey(of: bytes) }
            }
        }
    }

    private func key(_ seed: UInt64) -> [UInt8] {
        var random = TestRandom(seed: seed)
        return random.field(BNP256Fr.self).bigEndianBytes
    }
}

@Suite(.timeLimit(.minutes(10))) struct BNP256VectorTests {
    @Test func signaturesComeOutAsInTheVectors() throws {
        let items = try VectorFile("bls-bnp256.json").items("sign")
        #expect(items.count == 6)
        for item in items {
            let secret = try item.hex("secret_key")
            let message = try BLSBNP256.HashedMessage(try item.hex("message"))
            #expect(try message.point.compressed == item.hex("hashed"), "\(item.id)")
            let key = try secret.withUnsafeBytes { bytes throws(PairingError) in try BLSBNP256.publicKey(of: bytes) }
            #expect(try key.compressed == item.hex("public_key"), "\(item.id)")
            let signature = try secret.withUnsafeBytes { bytes throws(PairingError) in
                try BLSBNP256.sign(message, secretKey: bytes)
            }
            #expect(try signature.compressed == item.hex("signature"), "\(item.id)")
            #expect(
                BLSBNP256.verify(
                    try BNP256.G1Point(compressed: item.hex("signature")), message: message,
                    publicKey: .init(try BNP256.G2Point(compressed: item.hex("public_key")))), "\(item.id)")
        }
    }
}
