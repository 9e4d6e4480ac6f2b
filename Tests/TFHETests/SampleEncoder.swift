import TestSupport

@testable import TFHE

/// Writes ciphertexts and keys in every format, so that forms without files are read too. That it writes what tfhe-rs
/// writes is tested with the files that there are.
struct Sample {
    struct Block {
        var words: [UInt64]
        var degree: UInt64
        var noise: UInt64 = 1
    }

    var type: ValueType
    var message: UInt64 = 4
    var carry: UInt64 = 4
    var order: KeyOrder = .big
    var tag: [UInt8] = []
    var blocks: [Block]
    /// Versions in the tree of tfhe-rs 1.x: Concrete writes 1 and 0.
    var outerVersion: UInt32 = 2
    var blockVersion: UInt32 = 1

    /// Encrypts digits, least significant first, with noise below 2^20.
    init(
        _ type: ValueType, digits: [UInt64], key: [UInt64], parameters: KeyParameters, degree: UInt64,
        _ random: inout Mutator
    ) {
        let step = UInt64(1) << parameters.stepExponent
        blocks = digits.map { digit in
            let mask = key.map { _ in random.next() }
            var body = digit &* step &+ UInt64(random.below(1 << 20)) &- (1 << 19)
            for (word, bit) in zip(mask, key) where bit == 1 { body &+= word }
            return Block(words: mask + [body], degree: degree)
        }
        self.type = type
        (message, carry, order) = (parameters.messageModulus, parameters.carryModulus, parameters.order)
    }

    /// What was read.
    init(_ ciphertext: Ciphertext) {
        type = ciphertext.type
        (message, carry, order) = (ciphertext.messageModulus, ciphertext.carryModulus, ciphertext.order)
        tag = ciphertext.tag
        blocks = ciphertext.blocks.map { block in
            let words = (0..<block.words.count).map { index in
                (0..<8).reduce(UInt64(0)) { word, byte in
                    word | UInt64(ciphertext.bytes[block.words.offset + 8 * index + byte]) << UInt64(8 * byte)
                }
            }
            return Block(words: words, degree: block.degree, noise: block.noiseLevel ?? 1)
        }
    }

    func encoded(_ format: CiphertextFormat) -> [UInt8] {
        var out = Encoder()
        switch format {
        case .raw04, .raw06: list(&out, format)
        case .safe03:
            out.text("0.3")
            out.text(type.wireName)
            list(&out, format)
        case .raw1:
            list(&out, format)
            out.bytes(tag)
            out.u64(0)
        case .safe05:
            out.safe05(type.wireName)
            out.u32(outerVersion, 0, 0)
            list(&out, format)
            out.u32(0)
            out.bytes(tag)
            if outerVersion == 2 {
                out.u32(0)
                out.u64(0)
            }
        case .concreteArray:
            list(&out, format)
            out.bytes(tag)
        }
        return out.result
    }

    static func array(_ members: [Sample]) -> [UInt8] {
        var out = Encoder()
        out.u64(UInt64(members.count))
        return out.result + members.flatMap { $0.encoded(.concreteArray) }
    }

    private func list(_ out: inout Encoder, _ format: CiphertextFormat) {
        if type != .bool { out.u64(UInt64(blocks.count)) }
        let versioned = format == .safe05
        for block in blocks {
            if versioned { out.u32(blockVersion, 0) }
            out.words(block.words)
            if versioned { out.u32(0) }
            out.u64(0, 0, 64)
            let noise = format == .raw04 ? [] : [block.noise]
            for field in [block.degree] + noise + [message, carry] {
                if versioned { out.u32(0) }
                out.u64(field)
            }
            if format == .raw1 { out.u32(0) }
            if versioned { out.u32(blockVersion == 1 ? [0, 0, 0] : [0]) }
            out.u32(order.rawValue)
        }
    }
}

/// bincode's writer.
struct Encoder {
    var result: [UInt8] = []

    mutating func u8(_ value: UInt8) { result.append(value) }
    mutating func u32(_ values: UInt32...) { u32(values) }
    mutating func u32(_ values: [UInt32]) {
        for value in values { result += (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
    }
    mutating func u64(_ values: UInt64...) {
        for value in values { result += (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
    }
    mutating func words(_ words: [UInt64]) {
        u64(UInt64(words.count))
        for word in words { u64(word) }
    }
    mutating func bytes(_ bytes: [UInt8]) {
        u64(UInt64(bytes.count))
        result += bytes
    }
    mutating func text(_ text: String) { bytes(Array(text.utf8)) }
    mutating func safe05(_ name: String) {
        text("0.5")
        u32(0)
        text("0.1")
        text(name)
    }
}
