import SecretMemory
import TestSupport
import Testing

@testable import LibCrypto

@Suite("scrypt", .timeLimit(.minutes(10)))
struct ScryptTests {
    private static func passphrase(_ text: String) throws -> SecretBytes {
        try SecretBytes.make(count: text.utf8.count) { $0.copyBytes(from: text.utf8) }
    }

    @Test func rfc7914_12ThirdVector() throws {
        let key = try Scrypt.derive(
            passphrase: try Self.passphrase("pleaseletmein"), salt: Array("SodiumChloride".utf8),
            cost: Scrypt.Cost(logN: 14, blockSize: 8, parallelism: 1), count: 64)
        let expected = hex(
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
        #expect(key.withUnsafeBytes { Array($0) } == expected)
    }

    @Test func emptyOperandsAndCostsBeyondTheBoundAreRefused() throws {
        for cost in [
            Scrypt.Cost(logN: 0, blockSize: 8, parallelism: 1), Scrypt.Cost(logN: 21, blockSize: 1, parallelism: 1),
            Scrypt.Cost(logN: 20, blockSize: 8, parallelism: 1), Scrypt.Cost(logN: 14, blockSize: 0, parallelism: 1),
        ] {
            #expect(throws: LibCryptoError.self) {
                _ = try Scrypt.derive(passphrase: try Self.passphrase("p"), salt: [1], cost: cost, count: 32).count
            }
        }
        #expect(throws: LibCryptoError.self) {
            _ = try Scrypt.derive(passphrase: try Self.passphrase(""), salt: [1], cost: .interactive, count: 32).count
        }
    }
}
