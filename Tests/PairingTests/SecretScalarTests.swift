import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct SecretScalarTests {
    @Test func splitAddsUpAndEachShareWorks() throws {
        var random = TestRandom(seed: 41)
        func fill(_ buffer: UnsafeMutableRawBufferPointer) { buffer.copyBytes(from: random.bytes(buffer.count)) }
        let key = try written { try BLS0Chain.generateSecretKey(into: $0, from: fill) }
        for count in 2...5 {
            let shares = try written(32 * count) { output in
                try key.withUnsafeBytes { try BLS0Chain.split($0, count: count, into: output, from: fill) }
            }
            var total = [UInt8](repeating: 0, count: 32)
            for index in 0..<count {
                let share = Array(shares[(32 * index)..<(32 * index + 32)])
                total = try written { output in
                    try total.withUnsafeBytes { a in
                        try share.withUnsafeBytes { b in try BLS0Chain.add(a, b, into: output) }
                    }
                }
            }
            #expect(total == key)
        }
        let back = try written { output in
            try key.withUnsafeBytes { try BLS0Chain.subtract($0, $0, into: output) }
        }
        #expect(back == [UInt8](repeating: 0, count: 32))
    }

    @Test func rangeIsEnforced() {
        let order = BN254Fr.modulus.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
        #expect(throws: PairingError.scalarOutOfRange) { try order.withUnsafeBytes { try BLS0Chain.publicKey(of: $0) } }
        var below = order
        below[0] -= 1
        #expect(throws: Never.self) { try below.withUnsafeBytes { try BLS0Chain.publicKey(of: $0) } }
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(throws: PairingError.scalarOutOfRange) {
            try zero.withUnsafeBytes { try BLSMinSig.sign([], tag: [1], secretKey: $0) }
        }
        #expect(throws: PairingError.wrongLength(expected: 32, actual: 31)) {
            try zero.dropLast().withUnsafeBytes { try BLSMinPK.publicKey(of: $0) }
        }
    }

    @Test func aDeadGeneratorIsNoticed() {
        #expect(throws: PairingError.randomnessUnusable) {
            _ = try written { output in
                try BLS12381.generateSecretKey(into: output) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
            }
        }
    }

    @Test func infinityNeverVerifies() {
        let key = BN254.G2Point.infinity
        #expect(!BLS0Chain.verify(.infinity, message: [1], publicKey: key))
        #expect(!BLS0Chain.verify(.infinity, message: [1], publicKey: .generator))
        #expect(!BLSMinSig.verify(.infinity, message: [1], tag: BLSMinSig.basicTag, publicKey: .infinity))
        #expect(!BLSMinPK.verify(.infinity, message: [1], tag: BLSMinPK.basicTag, publicKey: .infinity))
        #expect(!BLSMinSig.verify(.generator, message: [1], tag: [], publicKey: .generator))
    }
}
