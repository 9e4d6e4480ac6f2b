import TestSupport
import Testing

@testable import TFHE

/// What is not exactly a ciphertext of the expected format is refused.
@Suite(.timeLimit(.minutes(10))) struct FormatTests {
    /// One small number in every format, and what opens it.
    static func small(_ type: ValueType = .unsigned(bits: 4)) throws -> (key: ClientKey, sample: Sample) {
        var random = Mutator(seed: 9)
        let parameters = try KeyParameters(messageModulus: 4, carryModulus: 4, order: .small, length: 20)
        let words = (0..<20).map { _ in random.next() & 1 }
        var sample = Sample(
            type, digits: type == .bool ? [1] : [2, 1], key: words, parameters: parameters, degree: 3, &random)
        sample.tag = [7, 8]
        return (try ClientKey.of(words, parameters), sample)
    }

    static let single = CiphertextFormat.allCases.filter { $0 != .concreteArray }

    @Test(arguments: VectorFile.ciphertexts)
    func theEncoderOfTheseTestsWritesWhatTheirProducersWrote(entry: VectorFile.Entry) throws {
        let bytes = try entry.bytes()
        #expect(Sample(try entry.ciphertext()).encoded(entry.format) == bytes)
    }

    @Test(arguments: VectorFile.ciphertexts)
    func everyFileMeansTheSameInEveryFormat(entry: VectorFile.Entry) throws {
        let key = try VectorFile.key(entry.key)
        let sample = Sample(try entry.ciphertext())
        for format in Self.single where format != .raw04 || entry.type != .bool {
            let ciphertext = try Ciphertext(sample.encoded(format), as: format, of: entry.type)
            #expect(try key.value(of: ciphertext) == entry.expected, "\(format)")
        }
    }

    @Test func anotherFormatIsNamedBesideTheExpectedOne() throws {
        for type in [ValueType.unsigned(bits: 4), .bool] {
            let sample = try Self.small(type).sample
            for written in Self.single where written != .raw04 || type != .bool {
                for read in Self.single where read != written && (read != .raw04 || type != .bool) {
                    let error = #expect(throws: TFHEError.self) {
                        try Ciphertext(sample.encoded(written), as: read, of: type)
                    }
                    #expect(error?.code == .format)
                    #expect(error?.message.contains(read.rawValue.replacing("safe-", with: "")) == true)
                    #expect(error?.message.contains(written.rawValue.replacing("safe-", with: "")) == true)
                }
            }
        }
    }

    @Test func otherVersionsAndTypesAreNamed() throws {
        let sample = try Self.small().sample
        func error(_ change: (inout Encoder) -> Void) -> TFHEError? {
            var out = Encoder()
            change(&out)
            return #expect(throws: TFHEError.self) { try Ciphertext(out.result, as: .safe05, of: .unsigned(bits: 4)) }
        }
        let newer = error {
            $0.text("0.6")
            $0.u32(0)
        }
        #expect(newer?.code == .format && newer?.message.contains("'0.6'") == true)
        #expect(newer?.message.contains("0.5") == true)
        let list = error { $0.safe05("high_level_api::CompactCiphertextList") }
        #expect(list?.code == .format && list?.message.contains("CompactCiphertextList") == true)
        let unversioned = error {
            $0.text("0.5")
            $0.u32(1)
            $0.text("1.6.2")
        }
        #expect(unversioned?.code == .unsupported)
        let later = error {
            $0.safe05("high_level_api::FheUint")
            $0.u32(3)
        }
        #expect(later?.code == .format && later?.message.contains("version 3") == true)
        #expect(later?.message.contains("1 to 2") == true)
        let hostile = error { $0.text(String(repeating: "\u{1B}", count: 60)) }
        #expect(hostile?.message.contains("\u{1B}") == false)
        let boolean = #expect(throws: TFHEError.self) { try Ciphertext(sample.encoded(.raw04), as: .raw04, of: .bool) }
        #expect(boolean?.code == .unsupported)
        let wide = #expect(throws: TFHEError.self) {
            try Ciphertext(sample.encoded(.raw06), as: .raw06, of: .unsigned(bits: 8))
        }
        #expect(wide?.code == .unfit)
        for bits in [Int.min, -8, 0, 3, 258, Int.max] {
            #expect(throws: TFHEError.self) {
                try Ciphertext(sample.encoded(.raw06), as: .raw06, of: .unsigned(bits: bits))
            }
        }
    }

    @Test func everyCutAndEveryTrailingByteIsRefused() throws {
        for type in [ValueType.unsigned(bits: 4), .bool] {
            for format in Self.single where format != .raw04 || type != .bool {
                let bytes = try Self.small(type).sample.encoded(format)
                #expect(throws: Never.self) { try Ciphertext(bytes, as: format, of: type) }
                for count in 0..<bytes.count {
                    #expect(throws: TFHEError.self) { try Ciphertext(Array(bytes.prefix(count)), as: format, of: type) }
                }
                for extra in [[0], [0xFF], [UInt8](repeating: 0, count: 8)] {
                    #expect(throws: TFHEError.self) { try Ciphertext(bytes + extra, as: format, of: type) }
                }
            }
        }
    }

    @Test(arguments: VectorFile.ciphertexts)
    func cutFilesAreRefused(entry: VectorFile.Entry) throws {
        let bytes = try entry.bytes()
        let sparse = stride(from: 200, to: bytes.count, by: 509)
        for count in Array(0..<200) + Array(sparse) + (bytes.count - 120..<bytes.count) {
            let cut = Array(bytes.prefix(count))
            #expect(throws: TFHEError.self) { try Ciphertext(cut, as: entry.format, of: entry.type) }
        }
        #expect(throws: TFHEError.self) { try Ciphertext(bytes + [0], as: entry.format, of: entry.type) }
    }

    /// Of a file only the words may be changed without being read otherwise; they carry no check.
    @Test(arguments: VectorFile.ciphertexts)
    func noBitOutsideTheWordsChangesTheValue(entry: VectorFile.Entry) throws {
        let bytes = try entry.bytes()
        let key = try VectorFile.key(entry.key)
        let blocks = try entry.ciphertext().blocks.map { $0.words.offset..<$0.words.offset + 8 * $0.words.count }
        let others = bytes.indices.filter { index in !blocks.contains { $0.contains(index) } }
        #expect(others.count >= 60)
        // The first block's fields and the frame; the other blocks are read by the same code.
        for index in others where index < blocks[0].upperBound + 120 || index >= bytes.count - 60 {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                guard let ciphertext = try? Ciphertext(changed, as: entry.format, of: entry.type),
                    let value = try? key.value(of: ciphertext)
                else { continue }
                #expect(value == entry.expected, "byte \(index), bit \(bit)")
            }
        }
    }

    /// The same for every format and every byte that is no word, in a ciphertext small enough to change each.
    @Test func noBitOutsideTheWordsOfAnyFormatChangesTheValue() throws {
        for type in [ValueType.unsigned(bits: 4), .bool] {
            let (key, sample) = try Self.small(type)
            for format in Self.single where format != .raw04 || type != .bool {
                let bytes = sample.encoded(format)
                let whole = try Ciphertext(bytes, as: format, of: type)
                let expected = try key.value(of: whole)
                let words = whole.blocks.map { $0.words.offset..<$0.words.offset + 8 * $0.words.count }
                for index in bytes.indices where !words.contains(where: { $0.contains(index) }) {
                    for bit in 0..<8 {
                        var changed = bytes
                        changed[index] ^= 1 << UInt8(bit)
                        guard let ciphertext = try? Ciphertext(changed, as: format, of: type),
                            let value = try? key.value(of: ciphertext)
                        else { continue }
                        #expect(value == expected, "\(format), byte \(index), bit \(bit)")
                    }
                }
            }
        }
    }

    @Test func countsAreBoundedBeforeAnythingIsReserved() throws {
        for format in Self.single {
            let bytes = try Self.small().sample.encoded(format)
            for index in 0...bytes.count - 8 {
                for count: UInt64 in [.max, 1 << 63, 1 << 61, (1 << 61) + 1, 1 << 32, 8195, 129] {
                    var changed = bytes
                    var encoder = Encoder()
                    encoder.u64(count)
                    changed.replaceSubrange(index..<index + 8, with: encoder.result)
                    _ = try? Ciphertext(changed, as: format, of: .unsigned(bits: 4))
                }
            }
            let start = format == .safe03 ? 11 + 31 : format == .safe05 ? 11 + 4 + 11 + 31 + 12 : 0
            for count: UInt64 in [0, 1, 3, 129, 1 << 32, .max] {
                var changed = bytes
                var encoder = Encoder()
                encoder.u64(count)
                changed.replaceSubrange(start..<start + 8, with: encoder.result)
                #expect(throws: TFHEError.self) { try Ciphertext(changed, as: format, of: .unsigned(bits: 4)) }
            }
        }
        let huge = [UInt8](repeating: 0, count: (16 << 20) + 1)
        let error = #expect(throws: TFHEError.self) { try Ciphertext(huge, as: .raw06, of: .bool) }
        #expect(error?.code == .malformed)
    }

    @Test func changedBytesNeverTrapTheReader() throws {
        var random = Mutator(seed: 12)
        let key = try Self.small().key
        for format in Self.single {
            let bytes = try Self.small().sample.encoded(format)
            for _ in 0..<4000 {
                let changed = random.mutate(bytes)
                if let ciphertext = try? Ciphertext(changed, as: format, of: .unsigned(bits: 4)) {
                    #expect(ciphertext.blockCount == 2)
                    _ = try? key.value(of: ciphertext)
                }
            }
        }
        for _ in 0..<4000 {
            let array = Sample.array([try Self.small().sample, try Self.small().sample])
            _ = try? Ciphertext.array(random.mutate(array), of: .unsigned(bits: 4), count: 2)
        }
    }
}
