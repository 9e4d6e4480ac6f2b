import LibCrypto
import SecretMemory
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct AESCFBTests {
    private static func secret(_ bytes: [UInt8]) throws -> SecretBytes {
        try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// With an initial value of zeros the first block is E(0) xor plaintext: AES-128 of FIPS 197 appendix C.1 is reached by
    /// a second block whose input is the first block of ciphertext.
    @Test func theSecondBlockIsTheCipherOfTheFirst() throws {
        let key = (0..<16).map { UInt8($0) }
        let wanted = (0..<16).map { UInt8($0 * 0x11) }
        let zeros = [UInt8](repeating: 0, count: 16)
        let first = try AESCFB.encrypt(Self.secret(zeros), key: Self.secret(key))
        let plaintext = zip(first, wanted).map { $0 ^ $1 } + zeros + [0, 0, 0]
        let output = try AESCFB.encrypt(Self.secret(plaintext), key: Self.secret(key))
        #expect(Array(output[..<16]) == wanted)
        #expect(
            Array(output[16..<32]) == [
                0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a,
            ])
        #expect(output.count == 35)
    }

    @Test func wrongLengthsAreRefused() throws {
        for (plaintext, key) in [(0, 16), (1, 15), (1, 32)] {
            #expect(throws: LibCryptoError.self) {
                try AESCFB.encrypt(
                    Self.secret([UInt8](repeating: 1, count: plaintext)),
                    key: Self.secret([UInt8](repeating: 1, count: key)))
            }
        }
    }

    @Test func aSecretsDigestIsItsDigest() throws {
        let digest = try Digest.sha256(secret: Self.secret([1, 2, 3]))
        let expected = try Digest.sha256([1, 2, 3])
        #expect(digest.withUnsafeBytes { Array($0) } == expected)
    }

    @Test func pointsOffTheCurveAreRefused() throws {
        for curve in [AgreementCurve.p256, .p384, .p521] {
            let good = try AgreementKey.generate(curve).publicKey
            try AgreementKey.check(good, on: curve)
            var moved = good
            moved[moved.count - 1] ^= 1
            #expect(throws: LibCryptoError.self) { try AgreementKey.check(moved, on: curve) }
            #expect(throws: LibCryptoError.self) { try AgreementKey.check(Array(good.dropLast()), on: curve) }
            let none = [4] + [UInt8](repeating: 0, count: good.count - 1)
            #expect(throws: LibCryptoError.self) { try AgreementKey.check(none, on: curve) }
        }
    }
}
