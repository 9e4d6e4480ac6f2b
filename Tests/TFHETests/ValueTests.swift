import TestSupport
import Testing

@testable import TFHE

/// Widths, signs, carries and moduli that no file has, in ciphertexts made here.
@Suite(.timeLimit(.minutes(10))) struct ValueTests {
    struct Space: Sendable {
        var message: UInt64
        var carry: UInt64
        var length: Int
    }

    func key(_ space: Space, _ random: inout Mutator) throws -> ClientKey {
        let parameters = try KeyParameters(
            messageModulus: space.message, carryModulus: space.carry, order: .big, length: space.length)
        return try ClientKey.of((0..<space.length).map { _ in random.next() & 1 }, parameters)
    }

    /// The sum of digits in base `base`, mod 2^bits, bit by bit.
    func reference(_ digits: [UInt64], base: UInt64, bits: Int) -> [UInt8] {
        let width = base.trailingZeroBitCount
        var counts = [UInt64](repeating: 0, count: bits + 64)
        for (index, digit) in digits.enumerated() {
            for bit in 0..<16 where digit >> UInt64(bit) & 1 == 1 && index * width + bit < bits {
                counts[index * width + bit] += 1
            }
        }
        var bytes = [UInt8](repeating: 0, count: (bits + 7) / 8)
        for bit in 0..<bits {
            counts[bit + 1] += counts[bit] / 2
            if counts[bit] % 2 == 1 { bytes[bit / 8] |= 1 << UInt8(bit % 8) }
        }
        return bytes
    }

    @Test(arguments: [
        Space(message: 4, carry: 4, length: 64), Space(message: 4, carry: 8, length: 100),
        Space(message: 2, carry: 2, length: 16), Space(message: 8, carry: 8, length: 129),
        Space(message: 16, carry: 16, length: 63), Space(message: 4, carry: 1, length: 65),
    ])
    func digitsAddUpWithTheirCarriesAtEveryWidth(space: Space) throws {
        var random = Mutator(seed: 3)
        let key = try key(space, &random)
        let width = space.message.trailingZeroBitCount
        for bits in [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 160, 256] where bits % width == 0 {
            let blocks = bits / width
            guard blocks <= 128 else { continue }
            let top = space.message * space.carry - 1
            for digits in [
                (0..<blocks).map { _ in UInt64(random.below(Int(top) + 1)) }, [UInt64](repeating: top, count: blocks),
                [UInt64](repeating: 0, count: blocks),
            ] {
                let sample = Sample(
                    .unsigned(bits: bits), digits: digits, key: key.words(), parameters: key.parameters, degree: top,
                    &random)
                let ciphertext = try Ciphertext(sample.encoded(.raw1), as: .raw1, of: sample.type)
                #expect(
                    try key.value(of: ciphertext) == reference(digits, base: space.message, bits: bits), "\(bits)")
            }
        }
    }

    @Test func signedNumbersAreTwosComplement() throws {
        var random = Mutator(seed: 4)
        let key = try key(Space(message: 4, carry: 4, length: 80), &random)
        let minusFive = UInt8(bitPattern: -5)
        let sample = Sample(
            .signed(bits: 8), digits: (0..<4).map { UInt64(minusFive >> UInt8(2 * $0) & 3) }, key: key.words(),
            parameters: key.parameters, degree: 3, &random)
        let bytes = sample.encoded(.safe05)
        #expect(try key.value(of: Ciphertext(bytes, as: .safe05, of: .signed(bits: 8))) == [minusFive])
        let error = #expect(throws: TFHEError.self) { try Ciphertext(bytes, as: .safe05, of: .unsigned(bits: 8)) }
        #expect(error?.code == .format)
        #expect(error?.message.contains("FheUint") == true && error?.message.contains("FheInt") == true)
    }

    @Test func truthIsAMessageThatIsNotZeroWhateverItsCarry() throws {
        var random = Mutator(seed: 5)
        let key = try key(Space(message: 4, carry: 4, length: 80), &random)
        for digit in UInt64(0)..<16 {
            let sample = Sample(
                .bool, digits: [digit], key: key.words(), parameters: key.parameters, degree: 15, &random)
            let ciphertext = try Ciphertext(sample.encoded(.raw06), as: .raw06, of: .bool)
            #expect(try key.value(of: ciphertext) == [digit % 4 == 0 ? 0 : 1])
        }
    }

    /// The lengths are those of Concrete 2.11.0's files: 4,096 bits, carry modulus 8, unknown noise.
    @Test func concretesFormsAreRead() throws {
        var random = Mutator(seed: 6)
        let parameters = try KeyParameters(messageModulus: 4, carryModulus: 8, order: .big, length: 4096)
        let words = (0..<4096).map { _ in random.next() & 1 }
        var file = Encoder()
        file.safe05("core_crypto::LweSecretKey")
        file.u32(0)
        file.words(words)
        #expect(file.result.count == 32_839)
        let key = try VectorFile.key(file.result, .concrete, expecting: parameters)
        #expect(key.words() == words)

        func number(_ value: UInt8, _ type: ValueType = .unsigned(bits: 8)) -> Sample {
            var sample = Sample(
                type, digits: (0..<4).map { UInt64(value >> UInt8(2 * $0) & 3) }, key: words, parameters: parameters,
                degree: 3, &random)
            (sample.outerVersion, sample.blockVersion) = (1, 0)
            for index in sample.blocks.indices { sample.blocks[index].noise = .max }
            return sample
        }
        for value: UInt8 in [0, 173, 255] {
            let bytes = number(value).encoded(.safe05)
            #expect(bytes.count == 131_593)
            #expect(try key.value(of: Ciphertext(bytes, as: .safe05, of: .unsigned(bits: 8))) == [value])
        }
        let array = Sample.array([number(1), number(2)])
        #expect(array.count == 262_792)
        let members = try Ciphertext.array(array, of: .unsigned(bits: 8), count: 2)
        #expect(try members.map { try key.value(of: $0) } == [[1], [2]])
        let signed = try Ciphertext.array(array, of: .signed(bits: 8), count: 2)
        #expect(try key.value(of: signed[1]) == [2])

        let alone = #expect(throws: TFHEError.self) { try Ciphertext(array, as: .safe05, of: .unsigned(bits: 8)) }
        #expect(alone?.code == .format && alone?.message.contains("concrete-array") == true)
        let other = #expect(throws: TFHEError.self) { try Ciphertext.array(array, of: .unsigned(bits: 8), count: 3) }
        #expect(other?.code == .unfit)
        for bytes in [array + [0], Array(array.dropLast()), [UInt8](repeating: 0xFF, count: 64), []] {
            #expect(throws: TFHEError.self) { try Ciphertext.array(bytes, of: .unsigned(bits: 8), count: 2) }
        }
        #expect(throws: TFHEError.self) { try Ciphertext.array(array, of: .bool, count: 2) }
        for count in [Int.min, 0, 1, 257] {
            #expect(throws: TFHEError.self) { try Ciphertext.array(array, of: .unsigned(bits: 8), count: count) }
        }
    }
}
