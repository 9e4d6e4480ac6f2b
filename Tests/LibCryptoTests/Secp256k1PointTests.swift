import LibCrypto
import TestSupport
import Testing

@Suite("Points of secp256k1", .timeLimit(.minutes(10)))
struct Secp256k1PointTests {
    /// n, the order of the group.
    private static let order: [UInt8] =
        [UInt8](repeating: 0xFF, count: 15) + [
            0xFE, 0xBA, 0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
        ]

    private static func keys(_ digest: [UInt8], _ signature: [UInt8]) -> [[UInt8]] {
        [false, true].compactMap { try? Secp256k1Point.recover(digest: digest, signature: signature, isOdd: $0) }
    }

    @Test("A good signature of Project Wycheproof gives its key, and no bad one does")
    func aGoodSignatureOfProjectWycheproofGivesItsKeyAndNoBadOneDoes() async throws {
        let outcome = try await WycheproofFile("secp256k1_p1363").outcome(
            key: { $0.keyBytes },
            verifies: { key, signature, message in
                Self.keys(try Digest.sha256(message), signature).contains(key)
            })
        #expect(outcome.isClean, "\(outcome)")
    }

    @Test("libcrypto's signatures give libcrypto's keys, which come back from their short form")
    func libcryptosSignaturesGiveLibcryptosKeysWhichComeBackFromTheirShortForm() throws {
        var parities = Set<UInt8>()
        for number in 0..<64 {
            let key = try SigningKey.generate(.secp256k1)
            let digest = try Digest.sha256([UInt8(number)])
            let found = Self.keys(digest, try key.sign(digest: digest))
            #expect(found.count == 2 && found.contains(key.publicKey))
            let short = try Secp256k1Point.compressed(key.publicKey)
            #expect(try Secp256k1Point.uncompressed(short) == key.publicKey)
            parities.insert(short[0])
        }
        #expect(parities == [2, 3])
    }

    @Test("Numbers outside the group, an X that no point has and other lengths give none")
    func numbersOutsideTheGroupAnXThatNoPointHasAndOtherLengthsGiveNone() throws {
        let one = [UInt8](repeating: 0, count: 31) + [1]
        let zero = [UInt8](repeating: 0, count: 32)
        // 5³ + 7 is no square.
        let nowhere = [UInt8](repeating: 0, count: 31) + [5]
        #expect(Self.keys(one, one + one).count == 2)
        for signature in [
            zero + one, one + zero, Self.order + one, one + Self.order, nowhere + one, one, one + one + [0],
        ] {
            #expect(Self.keys(one, signature).isEmpty)
        }
        #expect(Self.keys([1], one + one).isEmpty)
        for bytes in [[2] + nowhere, [4] + one, [2], [2] + [UInt8](repeating: 0xFF, count: 32), []] {
            #expect(throws: LibCryptoError.self) { try Secp256k1Point.uncompressed(bytes) }
        }
        #expect(try Secp256k1Point.uncompressed([2] + one).count == 65)
    }
}
