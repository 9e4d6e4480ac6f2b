import SecretMemory
import TestSupport
import Testing

@testable import TFHE

/// Files of tfhe-rs, each with its key and with the others.
@Suite(.timeLimit(.minutes(10))) struct DecryptionTests {
    @Test func theIndexListsEveryFormatThatHasFiles() {
        #expect(VectorFile.ciphertexts.count == 13)
        #expect(Set(VectorFile.ciphertexts.map(\.format)) == [.raw04, .raw06, .safe03, .safe05])
    }

    @Test(arguments: VectorFile.ciphertexts)
    func everyCiphertextOpensWithItsKey(entry: VectorFile.Entry) throws {
        let decrypted = try VectorFile.key(entry.key).decrypt(entry.ciphertext())
        let (value, margin) = (decrypted.array(), decrypted.noiseMargin)
        #expect(value == entry.expected)
        #expect((10...50).contains(margin))
    }

    @Test(arguments: VectorFile.ciphertexts)
    func noOtherKeyGivesAValue(entry: VectorFile.Entry) throws {
        let ciphertext = try entry.ciphertext()
        var noisy = 0
        for (file, _) in VectorFile.keys where file != entry.key {
            let key = try VectorFile.key(file)
            let error = #expect(throws: TFHEError.self) { try key.value(of: ciphertext) }
            #expect(error?.code == .noise || error?.code == .unfit)
            if error?.code == .noise { noisy += 1 }
        }
        // Two keys of 2048 bits and the same choice exist; the small ones differ in length.
        #expect(noisy == (ciphertext.order == .big ? 1 : 0))
    }

    @Test func keysThatFitInEveryNumberAndAreWrongAreFoundByTheirNoise() throws {
        let entry = try #require(VectorFile.ciphertexts.first { $0.file == "t061_big/FheUint8_42.bin" })
        let ciphertext = try entry.ciphertext()
        let right = try VectorFile.key(entry.key)
        var random = Mutator(seed: 7)
        for _ in 0..<300 {
            let wrong = try ClientKey.of(right.words().map { _ in random.next() & 1 }, right.parameters)
            let error = #expect(throws: TFHEError.self) { try wrong.value(of: ciphertext) }
            #expect(error?.code == .noise)
        }
        // One wrong bit is enough.
        for index in stride(from: 0, to: 2048, by: 97) {
            var words = right.words()
            words[index] ^= 1
            let near = try ClientKey.of(words, right.parameters)
            let error = #expect(throws: TFHEError.self) { try near.value(of: ciphertext) }
            #expect(error?.code == .noise)
        }
    }

    /// One block decides little: the documented chance is 1 in 32, and a narrower limit makes it as small as wanted.
    @Test func aTruthValueUnderAWrongKeyPassesAsSeldomAsDocumented() throws {
        let entry = try #require(VectorFile.ciphertexts.first { $0.file == "t061_big/FheBool_true.bin" })
        let ciphertext = try entry.ciphertext()
        let right = try VectorFile.key("t061_big/client_key.bin")
        let narrow = try #require(NoiseLimit(exponent: 10))
        #expect(try right.value(of: ciphertext, limit: narrow) == [1])
        var random = Mutator(seed: 11)
        var passed = (default: 0, narrow: 0)
        for _ in 0..<1000 {
            let wrong = try ClientKey.of(right.words().map { _ in random.next() & 1 }, right.parameters)
            if (try? wrong.value(of: ciphertext)) != nil { passed.default += 1 }
            if (try? wrong.value(of: ciphertext, limit: narrow)) != nil { passed.narrow += 1 }
        }
        #expect((10...60).contains(passed.default))
        #expect(passed.narrow <= 1)
    }

    @Test func theNoiseLimitStandsWhereItSays() throws {
        let parameters = try KeyParameters(messageModulus: 4, carryModulus: 4, order: .big, length: 64)
        let key = try ClientKey.of([UInt64](repeating: 0, count: 64), parameters)
        func open(body: UInt64) throws -> [UInt8] {
            let block = Sample.Block(words: [UInt64](repeating: 9, count: 64) + [body], degree: 3)
            var random = Mutator(seed: 1)
            var sample = Sample(
                .unsigned(bits: 2), digits: [0], key: key.words(), parameters: parameters, degree: 3, &random)
            sample.blocks = [block]
            return try key.value(of: Ciphertext(sample.encoded(.raw06), as: .raw06, of: sample.type))
        }
        let (step, quarter) = (UInt64(1) << 59, UInt64(1) << 57)
        #expect(try open(body: 2 * step + quarter) == [2])
        #expect(try open(body: 2 * step - quarter) == [2])
        #expect(try open(body: 0 &- quarter) == [0])
        #expect(try open(body: 3 * step) == [3])
        for body in [2 * step + quarter + 1, 2 * step - quarter - 1, 4 * step, 16 * step, 31 * step, 0 &- step] {
            let error = #expect(throws: TFHEError.self) { try open(body: body) }
            #expect(error?.code == .noise)
        }
    }

    @Test func ciphertextsForOtherKeysAreRefusedByName() throws {
        let big = try VectorFile.key("t061_big/client_key.bin")
        let small = try VectorFile.key("t061_small/client_key.bin")
        for entry in VectorFile.ciphertexts where entry.key != "v1_published/client_key.bin" {
            let ciphertext = try entry.ciphertext()
            let other = entry.key == "t061_big/client_key.bin" ? small : big
            let error = #expect(throws: TFHEError.self) { try other.check(ciphertext) }
            #expect(error?.code == .unfit)
            #expect(error?.message.contains("key") == true)
        }
        let parameters = try KeyParameters(messageModulus: 4, carryModulus: 8, order: .big, length: 2048)
        let other = try ClientKey.of(big.words(), parameters)
        let entry = try #require(VectorFile.ciphertexts.first { $0.key == "t061_big/client_key.bin" })
        let error = #expect(throws: TFHEError.self) { try other.check(entry.ciphertext()) }
        #expect(error?.code == .unfit && error?.message.contains("4 and 8") == true)
    }
}
