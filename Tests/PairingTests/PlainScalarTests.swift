import Testing

@testable import Pairing

/// What makes scalars of bytes, against plain integers: hashing, key derivation, fresh keys, shares.
@Suite(.timeLimit(.minutes(10))) struct PlainScalarTests {
    @Test func aMessageWhoseDigestHasAWideLowHalfIsHashedToItsRemainder() {
        let message = Array("msg 2".utf8)
        #expect(
            hex(BLAKE2b.hash(message, outputLength: 48))
                == "70be0687e67c42dafb5717b6090404aef29b41e0031e6c2e0f17875853cd8458f513f48071b76f3a51515c9b9d4598ee")
        #expect(
            hex(BBSPlus.hashToScalar(message).bigEndian)
                == "3d6ebf9cc841bcb4425d3f7722779eba589b696dbfd2f294eae54b1a91e63a6e")
    }

    @Test func messagesHashToTheRemainderOfTheirDigest() {
        var random = TestRandom(seed: 73)
        let messages = (0..<120).map { Array("msg \($0)".utf8) } + (0..<300).map { _ in random.bytes(40) }
        for message in messages {
            let digest = PlainInteger(bigEndian: BLAKE2b.hash(message, outputLength: 48))
            #expect(
                PlainInteger(bigEndian: BBSPlus.hashToScalar(message).bigEndian) == digest % BLS12381Fr.plainModulus)
        }
    }

    @Test func keysDerivedFromMaterialAreItsRemainder() throws {
        var random = TestRandom(seed: 74)
        let one = PlainInteger(1)
        let r = BLS12381Fr.plainModulus
        let top = PlainInteger.powerOfTwo(384)
        let awkward = [one, r - one, r + one, top - one, .powerOfTwo(256) - one, top - .powerOfTwo(256), top - r]
        for value in awkward + (0..<300).map({ _ in random.plain(bits: 384) }) {
            let key = try written { output in
                try value.bigEndian(48).withUnsafeBytes { try BLS12381.reduceKeyMaterial($0, into: output) }
            }
            #expect(PlainInteger(bigEndian: key) == value % r, "\(value)")
        }
        for zero in [PlainInteger(0), r, r + r] {
            #expect(throws: PairingError.scalarOutOfRange) {
                _ = try written { output in
                    try zero.bigEndian(48).withUnsafeBytes { try BLS12381.reduceKeyMaterial($0, into: output) }
                }
            }
        }
        for _ in 0..<100 {
            let material = random.bytes(32)
            let key = try written { output in
                try material.withUnsafeBytes { try BBSPlus.secretKey(fromKeyMaterial: $0, into: output) }
            }
            #expect(
                PlainInteger(bigEndian: key) == PlainInteger(bigEndian: BLAKE2b.hash(material, outputLength: 48)) % r)
        }
    }

    @Test func freshKeysAreTheRemainderOfWhatTheGeneratorGave() throws {
        try checkFresh(BLS12381Fr.self) { try BLS12381.generateSecretKey(into: $0, from: $1) }
        try checkFresh(BNP256Fr.self) { try BLSBNP256.generateSecretKey(into: $0, from: $1) }
        try checkFresh(BN254Fr.self, bigEndian: false) { try BLS0Chain.generateSecretKey(into: $0, from: $1) }
    }

    private typealias Fill = (UnsafeMutableRawBufferPointer) throws -> Void

    private func checkFresh<F: PrimeField>(
        _: F.Type, bigEndian: Bool = true, _ make: (UnsafeMutableRawBufferPointer, @escaping Fill) throws -> Void
    ) throws {
        var random = TestRandom(seed: 75)
        let awkward = F.awkward(bits: 256).filter { !($0.digits.isEmpty) }
        let inputs =
            awkward.map { $0.shifted(256) + $0 + PlainInteger(1) } + (0..<200).map { _ in random.plain(bits: 512) }
        for input in inputs where (input % F.plainModulus).digits.isEmpty == false && input.bitWidth <= 512 {
            let key = try written { output in try make(output) { $0.copyBytes(from: input.bigEndian(64)) } }
            let value = PlainInteger(bigEndian: bigEndian ? key : key.reversed())
            #expect(value == input % F.plainModulus, "\(input)")
        }
    }

    @Test func sumsDifferencesAndSharesOfScalarsAgreeWithPlainIntegers() throws {
        try checkShares(BLS12381Fr.self, bigEndian: true)
        try checkShares(BNP256Fr.self, bigEndian: true)
        try checkShares(BN254Fr.self, bigEndian: false)
    }

    private func checkShares<F: PrimeField>(_: F.Type, bigEndian: Bool) throws {
        var random = TestRandom(seed: 76)
        let r = F.plainModulus
        func bytes(_ value: PlainInteger) -> [UInt8] { bigEndian ? value.bigEndian(32) : value.littleEndian(32) }
        func plain(_ bytes: some Collection<UInt8>) -> PlainInteger {
            PlainInteger(bigEndian: bigEndian ? Array(bytes) : bytes.reversed())
        }
        let values = F.awkward(bits: 256) + (0..<10).map { _ in random.plain(bits: 256) }
        for x in values {
            for y in values {
                for subtract in [false, true] {
                    func combine() throws -> [UInt8] {
                        try written { output in
                            try bytes(x).withUnsafeBytes { a in
                                try bytes(y).withUnsafeBytes { b in
                                    try SecretScalar<F>.combine(
                                        a, b, subtract: subtract, into: output, bigEndian: bigEndian)
                                }
                            }
                        }
                    }
                    if x < r && y < r {
                        #expect(try plain(combine()) == (subtract ? x + r - y : x + y) % r)
                    } else {
                        #expect(throws: PairingError.scalarOutOfRange) { _ = try combine() }
                    }
                }
            }
            let inRange = x < r && !x.digits.isEmpty
            func split() throws -> [UInt8] {
                try written(96) { output in
                    try bytes(x).withUnsafeBytes { secret in
                        try SecretScalar<F>.split(secret, count: 3, into: output, bigEndian: bigEndian) {
                            // All ones in places: both halves above every modulus.
                            $0.copyBytes(from: [UInt8](repeating: 0xff, count: 40) + random.bytes($0.count - 40))
                        }
                    }
                }
            }
            guard inRange else {
                #expect(throws: PairingError.scalarOutOfRange) { _ = try split() }
                continue
            }
            let shares = try split()
            let parts = (0..<3).map { plain(shares[(32 * $0)..<(32 * $0 + 32)]) }
            #expect(parts.allSatisfy { $0 < r } && (parts[0] + parts[1] + parts[2]) % r == x)
        }
    }

    @Test func scalarsAreReadBelowTheOrderOnly() throws {
        var random = TestRandom(seed: 77)
        for value in BLS12381Fr.awkward(bits: 256) + (0..<100).map({ _ in random.plain(bits: 256) }) {
            let bytes = value.bigEndian(32)
            guard value < BLS12381Fr.plainModulus else {
                #expect(throws: PairingError.notCanonical) { try BLS12381.Scalar(bigEndian: bytes) }
                continue
            }
            let scalar = try BLS12381.Scalar(bigEndian: bytes)
            #expect(scalar.bigEndian == bytes && PlainInteger(words: scalar.words) == value)
        }
        for value in BN254Fr.awkward(bits: 256) {
            let scalar = try? BN254.Scalar(littleEndian: value.littleEndian(32))
            #expect(scalar?.littleEndian == (value < BN254Fr.plainModulus ? value.littleEndian(32) : nil))
        }
    }

    @Test func mnemonicsAreMaskedBelowTheOrder() throws {
        var random = TestRandom(seed: 78)
        for value in BN254Fr.awkward(bits: 256) + (0..<100).map({ _ in random.plain(bits: 256) }) {
            let masked = try written { output in
                try value.littleEndian(32).withUnsafeBytes { try BLS0Chain.importMasked($0, into: output) }
            }
            let kept = value % .powerOfTwo(254)
            let expected = kept < BN254Fr.plainModulus ? kept : value % .powerOfTwo(253)
            #expect(PlainInteger(bigEndian: masked.reversed()) == expected)
        }
    }

    @Test func pointsAreMultipliedByScalarsOfEveryWidth() {
        multiply(Point<BLS12381.G1Curve>.generator, BLS12381Fr.self)
        multiply(Point<BLS12381.G2Curve>.generator, BLS12381Fr.self)
        multiply(Point<BN254.G1Curve>.generator, BN254Fr.self)
        multiply(Point<BN254.G2Curve>.generator, BN254Fr.self)
        multiply(Point<BNP256.G1Curve>.generator, BNP256Fr.self)
        multiply(Point<BNP256.G2Curve>.generator, BNP256Fr.self)
    }

    private func multiply<Group: CurveGroup, F: PrimeField>(_ point: Point<Group>, _: F.Type) {
        for value in F.awkward(bits: 256) {
            var expected = Point<Group>.infinity
            for index in (0..<256).reversed() {
                expected = expected.doubled
                if value.bit(index) { expected = expected + point }
            }
            let secret = value.bigEndian(32)
            #expect(secret.withUnsafeBytes { point.multiplied(bySecret: $0, bigEndian: true) } == expected, "\(value)")
            #expect(secret.reversed().withUnsafeBytes { point.multiplied(bySecret: $0, bigEndian: false) } == expected)
            let words = (0..<4).map { index in
                (0..<64).reduce(UInt64(0)) { $0 | (value.bit(64 * index + $1) ? 1 << UInt64($1) : 0) }
            }
            #expect(point.multipliedVariableTime(by: words) == expected && expected.isOnCurve)
            let remainder = (value % F.plainModulus).bigEndian(32)
            #expect(remainder.withUnsafeBytes { point.multiplied(bySecret: $0, bigEndian: true) } == expected)
        }
    }
}
