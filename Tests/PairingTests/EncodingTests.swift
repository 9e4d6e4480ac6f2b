import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct EncodingTests {
    func point1(_ random: inout TestRandom) -> BLS12381.G1Point {
        BLS12381.G1Point(Point.generator.multipliedVariableTime(by: random.words(4)))
    }

    func point2(_ random: inout TestRandom) -> BLS12381.G2Point {
        BLS12381.G2Point(Point.generator.multipliedVariableTime(by: random.words(4)))
    }

    func bn1(_ random: inout TestRandom) -> BN254.G1Point {
        BN254.G1Point(Point.generator.multipliedVariableTime(by: random.words(4)))
    }

    func bn2(_ random: inout TestRandom) -> BN254.G2Point {
        BN254.G2Point(Point.generator.multipliedVariableTime(by: random.words(4)))
    }

    @Test func pointsComeBackFromTheirEncodings() throws {
        var random = TestRandom(seed: 31)
        for _ in 0..<50 {
            let (a, b, c, d) = (point1(&random), point2(&random), bn1(&random), bn2(&random))
            #expect(try BLS12381.G1Point(compressed: a.compressed) == a)
            #expect(try BLS12381.G1Point(uncompressed: a.uncompressed) == a)
            #expect(try BLS12381.G2Point(compressed: b.compressed) == b)
            #expect(try BLS12381.G2Point(uncompressed: b.uncompressed) == b)
            #expect(try BN254.G1Point(encoded: c.encoded) == c)
            #expect(try BN254.G2Point(encoded: d.encoded) == d)
            #expect(try BLS12381.G1Point(compressed: (-a).compressed) == -a)
            #expect(try BLS12381.G2Point(compressed: (-b).compressed) == -b)
            #expect(try BN254.G1Point(encoded: (-c).encoded) == -c)
            #expect(try BN254.G2Point(encoded: (-d).encoded) == -d)
        }
    }

    @Test func infinityHasOneEncodingAndIsRefusedByDefault() throws {
        let g1 = BLS12381.G1Point.infinity
        let g2 = BLS12381.G2Point.infinity
        #expect(g1.compressed[0] == 0xc0 && g1.uncompressed[0] == 0x40)
        #expect(try BLS12381.G1Point(compressed: g1.compressed, allowingInfinity: true).isInfinity)
        #expect(try BLS12381.G1Point(uncompressed: g1.uncompressed, allowingInfinity: true).isInfinity)
        #expect(try BLS12381.G2Point(compressed: g2.compressed, allowingInfinity: true).isInfinity)
        #expect(try BLS12381.G2Point(uncompressed: g2.uncompressed, allowingInfinity: true).isInfinity)
        #expect(throws: PairingError.infinity) { try BLS12381.G1Point(compressed: g1.compressed) }
        #expect(throws: PairingError.infinity) { try BLS12381.G1Point(uncompressed: g1.uncompressed) }
        #expect(throws: PairingError.infinity) { try BLS12381.G2Point(compressed: g2.compressed) }
        #expect(throws: PairingError.infinity) { try BLS12381.G2Point(uncompressed: g2.uncompressed) }
        #expect(throws: PairingError.infinity) { try BN254.G1Point(encoded: [UInt8](repeating: 0, count: 32)) }
        #expect(throws: PairingError.infinity) { try BN254.G2Point(encoded: [UInt8](repeating: 0, count: 64)) }
        for (flags, last) in [(UInt8(0xe0), UInt8(0)), (0xc0, 1), (0xc1, 0)] {
            var bytes = g1.compressed
            (bytes[0], bytes[47]) = (flags, last)
            #expect(throws: PairingError.invalidFlags) {
                try BLS12381.G1Point(compressed: bytes, allowingInfinity: true)
            }
        }
        var lone = [UInt8](repeating: 0, count: 32)
        lone[31] = 0x80
        #expect(throws: PairingError.invalidFlags) { try BN254.G1Point(encoded: lone, allowingInfinity: true) }
        let pair = [UInt8](repeating: 0, count: 32) + lone
        #expect(throws: PairingError.invalidFlags) { try BN254.G2Point(encoded: pair, allowingInfinity: true) }
    }

    @Test func wrongFormsAreRefusedWithTheirReason() {
        var random = TestRandom(seed: 32)
        let a = point1(&random)
        var flagless = a.compressed
        flagless[0] &= 0x7f
        #expect(throws: PairingError.invalidFlags) { try BLS12381.G1Point(compressed: flagless) }
        var signed = a.uncompressed
        signed[0] |= 0x20
        #expect(throws: PairingError.invalidFlags) { try BLS12381.G1Point(uncompressed: signed) }
        var off = a.uncompressed
        off[95] ^= 1
        #expect(throws: PairingError.notOnCurve) { try BLS12381.G1Point(uncompressed: off) }
        #expect(throws: PairingError.wrongLength(expected: 48, actual: 96)) {
            try BLS12381.G1Point(compressed: a.uncompressed)
        }
        #expect(throws: PairingError.wrongLength(expected: 48, actual: 0)) { try BLS12381.G1Point(compressed: []) }
        let modulus = [0x9a] + (-BLS12381Fp.one).bigEndianBytes[1..<47] + [0xab]
        #expect(throws: PairingError.notCanonical) { try BLS12381.G1Point(compressed: modulus) }
        // x = 4: on the curve, of the wrong order.
        let outside = [0x80] + [UInt8](repeating: 0, count: 46) + [4]
        #expect(throws: PairingError.notInSubgroup) { try BLS12381.G1Point(compressed: outside) }
        let plain = bn1(&random)
        var sec1 = plain.uncompressedBigEndian ?? []
        #expect((try? BN254.G1Point(uncompressedBigEndian: sec1)) == plain)
        sec1[64] ^= 1
        #expect(throws: PairingError.notOnCurve) { try BN254.G1Point(uncompressedBigEndian: sec1) }
        sec1[0] = 2
        #expect(throws: PairingError.invalidFlags) { try BN254.G1Point(uncompressedBigEndian: sec1) }
        var high = bn1(&random).encoded
        high[31] |= 0x40
        #expect(throws: PairingError.notCanonical) { try BN254.G1Point(encoded: high) }
    }

    /// 20,000 damaged encodings: each is refused, or is the one encoding of the point it decodes to.
    @Test func mutatedEncodingsNeverCrash() {
        var random = TestRandom(seed: 33)
        let seeds = (point1(&random), point2(&random), bn1(&random), bn2(&random))
        var accepted = 0
        for round in 0..<20_000 {
            var bytes: [UInt8]
            switch round % 6 {
            case 0: bytes = seeds.0.compressed
            case 1: bytes = seeds.0.uncompressed
            case 2: bytes = seeds.1.compressed
            case 3: bytes = seeds.1.uncompressed
            case 4: bytes = seeds.2.encoded
            default: bytes = seeds.3.encoded
            }
            mutate(&bytes, &random)
            let again: [UInt8]?
            switch round % 6 {
            case 0: again = (try? BLS12381.G1Point(compressed: bytes, allowingInfinity: true))?.compressed
            case 1: again = (try? BLS12381.G1Point(uncompressed: bytes, allowingInfinity: true))?.uncompressed
            case 2: again = (try? BLS12381.G2Point(compressed: bytes, allowingInfinity: true))?.compressed
            case 3: again = (try? BLS12381.G2Point(uncompressed: bytes, allowingInfinity: true))?.uncompressed
            case 4: again = (try? BN254.G1Point(encoded: bytes, allowingInfinity: true))?.encoded
            default: again = (try? BN254.G2Point(encoded: bytes, allowingInfinity: true))?.encoded
            }
            if let again {
                accepted += 1
                #expect(again == bytes)
            }
        }
        // Half of the x coordinates of BN254 G1 lie on the curve, which has cofactor 1.
        #expect(accepted > 500)
    }

    func mutate(_ bytes: inout [UInt8], _ random: inout TestRandom) {
        switch random.next() % 8 {
        case 0: bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
        case 1: bytes.append(contentsOf: random.bytes(Int(random.next() % 9)))
        case 2: bytes = random.bytes(bytes.count)
        case 3: bytes = [UInt8](repeating: random.next() % 2 == 0 ? 0xff : 0, count: bytes.count)
        case 4: bytes[0] ^= 0xe0 & UInt8(truncatingIfNeeded: random.next())
        case 5: bytes[bytes.count - 1] ^= 0xc0 & UInt8(truncatingIfNeeded: random.next())
        default:
            for _ in 0...(random.next() % 3) {
                let position = Int(random.next() % UInt64(bytes.count))
                bytes[position] ^= 1 << UInt8(random.next() % 8)
            }
        }
    }
}
