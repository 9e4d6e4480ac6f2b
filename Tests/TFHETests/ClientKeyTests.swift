import SecretMemory
import TestSupport
import Testing

@testable import TFHE

@Suite(.timeLimit(.minutes(10))) struct ClientKeyTests {
    typealias File = (file: String, format: ClientKeyFormat)

    @Test func parametersAreThoseOfTheFiles() throws {
        let parameters = try VectorFile.keys.map { try VectorFile.key($0.file).parameters }
        #expect(parameters.map(\.order) == [.big, .small, .small, .big])
        #expect(parameters.map(\.length) == [2048, 886, 1024, 2048])
        for each in parameters { #expect(each.messageModulus == 4 && each.carryModulus == 4) }
    }

    /// The node's key of 2023 and the relayer's have no or few files; what is encrypted with their words opens.
    @Test func bitsAreTheWordsOfTheFile() throws {
        let places = [8, 8 + 2048 * 8 + 16, 9 + 2 * (8 + 2048 * 8) + 16, 57 + 2 + 20 + 8]
        for (entry, start) in zip(VectorFile.keys, places) {
            let key = try VectorFile.key(entry.file)
            let bytes = try VectorFile.bytes(entry.file)
            let words = (0..<key.parameters.length).map { UInt64(bytes[start + 8 * $0]) }
            #expect(key.words() == words)
            #expect(words.contains(0) && words.contains(1))
            var random = Mutator(seed: 21)
            let sample = Sample(
                .unsigned(bits: 16), digits: (0..<8).map { $0 % 4 }, key: words, parameters: key.parameters, degree: 3,
                &random)
            let ciphertext = try Ciphertext(sample.encoded(.raw06), as: .raw06, of: sample.type)
            #expect(try key.value(of: ciphertext) == [0xE4, 0xE4])
        }
    }

    @Test func everyCutOfAKeyIsRefused() throws {
        for (file, format) in VectorFile.keys {
            let bytes = try VectorFile.bytes(file)
            // Behind its parameters a key of 1.x holds other keys, which are not looked at.
            let end = format == .safe05 ? try #require(bytes.lastParameter) : bytes.count
            let cuts = Array(0..<300) + Array(stride(from: 300, to: end, by: 211)) + (end - 400..<end)
            for count in cuts {
                #expect(throws: TFHEError.self) { try VectorFile.key(Array(bytes.prefix(count)), format) }
            }
            if format == .safe05 {
                #expect(throws: Never.self) { try VectorFile.key(Array(bytes.prefix(end)), format) }
            } else {
                #expect(throws: TFHEError.self) { try VectorFile.key(bytes + [0], format) }
            }
        }
    }

    @Test func wordsThatAreNotBitsAreRefused() throws {
        for (file, format) in VectorFile.keys {
            let bytes = try VectorFile.bytes(file)
            let end = format == .safe05 ? try #require(bytes.lastParameter) - 220 : bytes.count - 165
            for index in stride(from: 120, to: end, by: 397) {
                var changed = bytes
                changed[index] ^= 0x40
                #expect(throws: TFHEError.self) { try VectorFile.key(changed, format) }
            }
        }
    }

    /// Header and parameters: a changed bit is refused, or leaves bits and parameters as they were (noise, bases).
    @Test func noBitOutsideTheWordsChangesTheKey() throws {
        for (file, format) in VectorFile.keys {
            let bytes = try VectorFile.bytes(file)
            let right = try VectorFile.key(bytes, format)
            let words = right.words()
            let end = format == .safe05 ? try #require(bytes.lastParameter) : bytes.count
            // Up to the first word of a key.
            let head = format == .safe05 ? 0..<87 : format == .raw04 ? 0..<17 : 0..<8
            for index in Array(head) + (end - (format == .safe05 ? 220 : 125)..<end) {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    guard let key = try? VectorFile.key(changed, format) else { continue }
                    // The choice of key is the one field that no other repeats; ciphertexts name theirs.
                    let isChoice = key.parameters.order != right.parameters.order
                    #expect(isChoice || key.parameters == right.parameters && key.words() == words)
                    #expect(!isChoice || index >= end - 5)
                }
            }
        }
    }

    @Test func otherFormatsAreNamed() throws {
        for (file, format) in VectorFile.keys {
            let bytes = try VectorFile.bytes(file)
            for other in ClientKeyFormat.allCases where other != format {
                let expecting = try KeyParameters(messageModulus: 4, carryModulus: 4, order: .big, length: 2048)
                let error = #expect(throws: TFHEError.self) {
                    try VectorFile.key(bytes, other, expecting: other == .concrete ? expecting : nil)
                }
                #expect(error?.code == .format)
                #expect(error?.message.contains(other.rawValue) == true)
                #expect(error?.message.contains(format.rawValue) == true)
            }
        }
    }

    /// Derived: the key of 0.6 without the two fields that its predecessor lacks, and the published key with the path
    /// that 1.5 and 1.6 write.
    @Test func keysOfTheGenerationsBetweenAreRead() throws {
        let file = try VectorFile.bytes("t061_small/client_key.bin")
        let fields = file.count - 16 - 24 - 5
        let early = Array(file[..<fields] + file[(fields + 16)...])
        #expect(try VectorFile.key(early, .raw05).words() == VectorFile.key(file, .raw06).words())
        let error = #expect(throws: TFHEError.self) { try VectorFile.key(early, .raw06) }
        #expect(error?.code == .format && error?.message.contains("raw-0.5") == true)

        let published = try VectorFile.bytes("v1_published/client_key.bin")
        let start = 11 + 4 + 11 + 33
        for inner: UInt32 in [6, 8] {
            var path = Encoder()
            path.u32(1, inner, 0, 1, 0, 0, 0, 0)
            let end = try #require(published.lastParameter)
            // Three indices fewer before the parameters: there is no set around them.
            let set = end - 220
            let keys = published[(start + 20)..<set]
            let later = Array(published[..<start]) + path.result + keys + published[(set + 12)...]
            #expect(try VectorFile.key(later, .safe05).words() == VectorFile.key(published, .safe05).words())
            var pattern = later
            pattern[start + 20] = 1
            let error = #expect(throws: TFHEError.self) { try VectorFile.key(pattern, .safe05) }
            #expect(error?.code == .unsupported)
        }
        var newer = published
        newer[start + 4] = 9
        let version = #expect(throws: TFHEError.self) { try VectorFile.key(newer, .safe05) }
        #expect(version?.code == .format && version?.message.contains("version 9") == true)
    }

    @Test func theOperatorsParametersMustBeThoseOfTheFile() throws {
        let bytes = try VectorFile.bytes("t061_small/client_key.bin")
        let right = try VectorFile.key(bytes, .raw06).parameters
        #expect(try VectorFile.key(bytes, .raw06, expecting: right).parameters == right)
        let other = try KeyParameters(messageModulus: 4, carryModulus: 8, order: .small, length: 886)
        let error = #expect(throws: TFHEError.self) { try VectorFile.key(bytes, .raw06, expecting: other) }
        #expect(error?.code == .key)
        let bare = #expect(throws: TFHEError.self) { try VectorFile.key(bytes, .concrete) }
        #expect(bare?.code == .format || bare?.code == .key)
    }

    @Test func publishedKeysAreKnownInEitherHalf() throws {
        for (file, format) in VectorFile.keys {
            let bytes = try VectorFile.bytes(file)
            let key = try VectorFile.key(bytes, format)
            #expect(try key.isPublished())
            #expect(try key.fingerprint().count == 32)
            // The other choice of key; behind it one byte in plain files, where nothing follows.
            var other = bytes
            let choice = format == .safe05 ? try #require(bytes.lastParameter) - 4 : bytes.count - 5
            other[choice] ^= 1
            let half = try VectorFile.key(other, format)
            #expect(half.parameters.order != key.parameters.order)
            #expect(try half.isPublished())
        }
        var random = Mutator(seed: 40)
        let key = try VectorFile.key("t061_small/client_key.bin")
        let fresh = try ClientKey.of(key.words().map { _ in random.next() & 1 }, key.parameters)
        #expect(try !fresh.isPublished())
    }

    @Test func parametersHaveBounds() {
        for (message, carry, length): (UInt64, UInt64, Int) in [
            (0, 4, 2048), (1, 4, 2048), (3, 4, 2048), (4, 0, 2048), (4, 6, 2048), (32, 16, 2048), (1 << 63, 2, 2048),
            (4, 4, 15), (4, 4, 8193), (4, 4, 0), (4, 4, -1), (4, .max, 2048),
        ] {
            let error = #expect(throws: TFHEError.self) {
                try KeyParameters(messageModulus: message, carryModulus: carry, order: .big, length: length)
            }
            #expect(error?.code == .key)
        }
    }

    @Test func packedBitsComeBackAndAreHeldToTheirLength() throws {
        let key = try VectorFile.key("t061_small/client_key.bin")
        let again = try ClientKey(packed: key.withPackedBits { try $0.copy() }, parameters: key.parameters)
        #expect(again.words() == key.words())
        #expect(key.parameters.packedByteCount == 112)
        for count in [0, 111, 113, 256] {
            let error = #expect(throws: TFHEError.self) {
                try ClientKey(packed: SecretBytes.make(count: count) { _ in }, parameters: key.parameters)
            }
            #expect(error?.code == .key)
        }
        #expect(throws: TFHEError.self) {
            try ClientKey(packed: SecretBytes.make(count: 112) { $0[111] = 0x80 }, parameters: key.parameters)
        }
    }

    @Test func changedBytesNeverTrapTheReader() throws {
        var random = Mutator(seed: 30)
        let expecting = try KeyParameters(messageModulus: 4, carryModulus: 4, order: .big, length: 2048)
        for (file, format) in VectorFile.keys {
            let bytes = try VectorFile.bytes(file)
            for _ in 0..<200 { _ = try? VectorFile.key(random.mutate(bytes), format) }
            for other in ClientKeyFormat.allCases {
                for count in [0, 7, 8, 9, 16, 17, 100, 16_400] {
                    _ = try? VectorFile.key(Array(bytes.prefix(count)), other, expecting: expecting)
                }
            }
        }
        let huge = [UInt8](repeating: 0, count: (1 << 20) + 1)
        let error = #expect(throws: TFHEError.self) { try VectorFile.key(huge, .raw04) }
        #expect(error?.code == .malformed)
    }
}

extension [UInt8] {
    /// The end of the parameters in the published key of 1.x: the key choice, 220 bytes behind the small key.
    var lastParameter: Int? {
        let small = 11 + 4 + 11 + 33 + 20 + 8 + 2048 * 8 + 4 + 8 + 4 + 8 + 918 * 8
        return count > small + 220 ? small + 220 : nil
    }
}
