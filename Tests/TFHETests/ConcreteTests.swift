import Foundation
import LibCrypto
import TFHE
import Testing

/// Keys and ciphertexts that Concrete itself has made; `scripts/concrete-ciphertexts` makes such a set anew.
@Suite(.timeLimit(.minutes(10))) struct ConcreteTests {
    struct Index: Decodable {
        struct File: Decodable {
            var file: String
            var bytes: Int
            var sha256: String

            func read() throws -> [UInt8] {
                let content = try VectorFile.bytes("concrete/\(file)")
                #expect(content.count == bytes)
                let digits = try Digest.sha256(content).flatMap { [$0 >> 4, $0 & 15] }
                #expect(digits.map { String($0, radix: 16) }.joined() == sha256)
                return content
            }
        }

        struct Entry: Decodable {
            enum CodingKeys: String, CodingKey {
                case values, bits, signed, length, key, ciphertext
                case messageModulus = "message_modulus"
                case carryModulus = "carry_modulus"
            }

            var values: [Int]
            var bits: Int
            var signed: Bool
            var messageModulus: UInt64
            var carryModulus: UInt64
            var length: Int
            var key: File
            var ciphertext: File

            var type: ValueType { signed ? .signed(bits: bits) : .unsigned(bits: bits) }

            func clientKey(length: Int? = nil) throws -> ClientKey {
                let parameters = try KeyParameters(
                    messageModulus: messageModulus, carryModulus: carryModulus, order: .big,
                    length: length ?? self.length)
                return try VectorFile.key(key.read(), .concrete, expecting: parameters)
            }

            func ciphertexts() throws -> [Ciphertext] {
                let bytes = try ciphertext.read()
                guard values.count > 1 else { return [try Ciphertext(bytes, as: .safe05, of: type)] }
                return try Ciphertext.array(bytes, of: type, count: values.count)
            }
        }

        var entries: [Entry]

        static func read() throws -> [Entry] {
            try JSONDecoder().decode(Index.self, from: Data(VectorFile.bytes("concrete/index.json"))).entries
        }
    }

    @Test func everyFileOfConcreteOpensUnderItsKey() throws {
        let entries = try Index.read()
        #expect(entries.count >= 4)
        #expect(entries.contains { $0.signed } && entries.contains { $0.values.count > 1 })
        #expect(entries.contains { $0.carryModulus == 8 } && entries.contains { $0.length == 4096 })
        for entry in entries {
            let key = try entry.clientKey()
            let found = try entry.ciphertexts().map { try key.value(of: $0) }
            #expect(found == entry.values.map { [UInt8(truncatingIfNeeded: $0)] })
            let margins = try entry.ciphertexts().map { try key.decrypt($0).noiseMargin }
            #expect(margins.allSatisfy { $0 > 10 }, "fresh noise is far below the step")
        }
    }

    @Test func anotherKeyOfConcreteOpensNothing() throws {
        let entries = try Index.read().filter { $0.length == 2048 && $0.carryModulus == 4 }
        try #require(entries.count >= 2)
        for (one, other) in zip(entries, entries.dropFirst() + entries.prefix(1)) {
            let key = try one.clientKey()
            for ciphertext in try other.ciphertexts() {
                let error = #expect(throws: TFHEError.self) { try key.value(of: ciphertext) }
                #expect(error?.code == .noise)
            }
        }
    }

    @Test func theKeysAreKnownAndNeedTheirLength() throws {
        for entry in try Index.read() {
            #expect(try entry.clientKey().isPublished())
            #expect(throws: TFHEError.self) { try entry.clientKey(length: entry.length / 2) }
        }
    }

    @Test func theSignIsNotGuessed() throws {
        let signed = try #require(try Index.read().first { $0.signed })
        let error = #expect(throws: TFHEError.self) {
            try Ciphertext(signed.ciphertext.read(), as: .safe05, of: .unsigned(bits: signed.bits))
        }
        #expect(error?.code == .format && error?.message.contains("FheInt") == true)
    }
}
