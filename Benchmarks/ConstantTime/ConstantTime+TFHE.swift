import CValgrind
import TFHE

/// Keys and decryption of lattice ciphertexts: key bits, phases and digits are undefined; only verdicts are published.
extension ConstantTime {
    static let latticeCases = keyFileCases + keyUseCases + blockCases

    /// The words of a key file, for the lengths that its formats have: the big and the small key of tfhe-rs's files (raw-0.4 has
    /// the big one twice), Concrete's one of 4,096 words. How many there are, and whether each is 0 or 1, is public.
    private static let keyFileCases = [
        ("raw-0.4", 2048, 1024), ("raw-0.5", 2048, 742), ("raw-0.6", 2048, 886), ("safe-0.5", 2048, 918),
        ("concrete-lwe", 4096, 0),
    ].map { format, big, small in
        Case("tfhe-read-\(format)") {
            withSecret(8 * (2 * big + small)) { words in
                let words = UnsafeRawBufferPointer(words)
                let (first, second) = (part(words, 0, big), part(words, big, big))
                publish(KeyBits.union(first) | KeyBits.union(part(words, 2 * big, small)))
                publish(KeyBits.difference(first, second))
                pack(first)
                if small > 0 { pack(part(words, 2 * big, small)) }
            }
        }
    }

    private static func part(_ words: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: words[8 * start..<8 * (start + count)])
    }

    private static func pack(_ words: UnsafeRawBufferPointer) {
        let length = words.count / 8
        withUnsafeTemporaryAllocation(byteCount: (length + 63) / 64 * 8, alignment: 8) { packed in
            publish(KeyBits.pack(words, into: packed))
            publish(KeyBits.behind(UnsafeRawBufferPointer(packed), length: length))
            kms_unpoison(packed.baseAddress, packed.count)
        }
    }

    /// The inner product under keys of each of these lengths.
    private static let keyUseCases = [130, 742, 886, 918, 1024, 2048, 4096].map { length in
        Case("tfhe-phase-\(length)") {
            withSecret((length + 63) / 64 * 8) { publish(phase(0, key: UnsafeRawBufferPointer($0), length: length)) }
        }
    }

    /// Rounding, carries and the guard, for the widths of digits and carries that occur: tfhe-rs's 2 and 2, Concrete's 2 and 3,
    /// others up to 8 bits together.
    private static let blockCases = [(2, 2), (2, 3), (1, 1), (1, 0), (3, 3), (4, 4), (8, 0)].flatMap { message, carry in
        let (step, width) = (UInt64(63 - message - carry), UInt64(message))
        let degree: UInt64 = 1 << UInt64(message + carry) - 1
        return [
            Case("tfhe-number-\(message)-\(carry)") {
                withSecret(24) { key in
                    var decoder = BlockDecoder(step: step, limitShift: 2, width: width)
                    withUnsafeTemporaryAllocation(byteCount: 4 * message, alignment: 8) { output in
                        output.initializeMemory(as: UInt8.self, repeating: 0)
                        for block in 0..<32 {
                            let phase = phase(UInt64(block), key: UnsafeRawBufferPointer(key), length: 130)
                            decoder.append(decoder.decode(phase, degree: degree), to: output)
                        }
                        kms_unpoison(output.baseAddress, output.count)
                    }
                    publish(decoder.excess | decoder.noise)
                }
            },
            Case("tfhe-truth-\(message)-\(carry)") {
                withSecret(24) { key in
                    var decoder = BlockDecoder(step: step, limitShift: 2, width: width)
                    let phase = phase(7, key: UnsafeRawBufferPointer(key), length: 130)
                    publish(decoder.truth(decoder.decode(phase, degree: 1)))
                    publish(decoder.excess | decoder.noise)
                }
            },
        ]
    }

    /// A block of `length` words and a body, different for each seed.
    private static func phase(_ seed: UInt64, key: UnsafeRawBufferPointer, length: Int) -> UInt64 {
        let words = (0...length).map { (UInt64($0) &+ seed) &* 0x9E37_79B9_7F4A_7C15 }
        var lane = [UInt8](repeating: 0, count: MaskedSum.laneByteCount)
        return lane.withUnsafeMutableBytes { lane in
            words.withUnsafeBytes { MaskedSum.phase($0, key: key, length: length, lane: lane) }
        }
    }
}
