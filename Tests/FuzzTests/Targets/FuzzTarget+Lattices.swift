import SecretMemory

@testable import TFHE

extension FuzzTarget {
    /// Ciphertexts and client keys of tfhe-rs and Concrete. The first byte of an input names the format, the second what must
    /// be in it.
    static let lattices = [
        FuzzTarget("tfhe-ciphertext", longest: 4096) { bytes throws(FuzzFinding) in
            guard bytes.count > 2 else { return }
            let format = CiphertextFormat.allCases[Int(bytes[0]) % CiphertextFormat.allCases.count]
            let type = valueTypes[Int(bytes[1]) % valueTypes.count]
            let body = Array(bytes.dropFirst(2))
            let found = ciphertexts(body, format, type)
            guard !found.isEmpty else { return }
            for other in CiphertextFormat.allCases where other != format {
                try claim(ciphertexts(body, other, type).isEmpty, "\(format) and \(other) read the same bytes")
            }
            try claim(ciphertexts(body + [0], format, type).isEmpty, "a byte too many is taken")
            try claim(ciphertexts(Array(body.dropLast()), format, type).isEmpty, "a byte too few is taken")
            for ciphertext in found { try opens(ciphertext, body, type) }
        },
        FuzzTarget("tfhe-key", longest: 4096) { bytes throws(FuzzFinding) in
            guard bytes.count > 2 else { return }
            let format = ClientKeyFormat.allCases[Int(bytes[0]) % ClientKeyFormat.allCases.count]
            let length = 16 + Int(bytes[1])
            let body = Array(bytes.dropFirst(2))
            guard let key = clientKey(body, format, length) else { return }
            for other in ClientKeyFormat.allCases where other != format {
                try claim(clientKey(body, other, length) == nil, "\(format) and \(other) read the same bytes")
            }
            try claim(
                clientKey(Array(body.dropLast()), format, length) == nil || format == .safe05, "a cut key is taken")
            try claim(clientKey(body + [0], format, length) == nil || format == .safe05, "a byte too many is taken")
            try isPacked(key, body, format)
        },
    ]

    /// Truth values, and numbers whose blocks divide them or do not.
    private static let valueTypes: [ValueType] =
        [.bool] + [2, 4, 8, 12, 64, 256].map { .unsigned(bits: $0) } + [2, 8, 64].map { .signed(bits: $0) }

    private static func ciphertexts(_ body: [UInt8], _ format: CiphertextFormat, _ type: ValueType) -> [Ciphertext] {
        guard format == .concreteArray else { return parsed { [try Ciphertext(body, as: format, of: type)] } ?? [] }
        return parsed { try Ciphertext.array(body, of: type, count: Int(body.first ?? 0)) } ?? []
    }

    /// What the reader says of the blocks is true of the bytes, and a key that fits opens or refuses them.
    private static func opens(_ ciphertext: Ciphertext, _ body: [UInt8], _ type: ValueType) throws(FuzzFinding) {
        var end = 0
        for block in ciphertext.blocks {
            let words = block.words
            try claim(words.offset >= end && words.offset + 8 * words.count <= body.count, "a block lies elsewhere")
            end = words.offset + 8 * words.count
            try claim(words.count == ciphertext.dimension + 1, "blocks of several lengths")
            try claim(block.degree < ciphertext.messageModulus * ciphertext.carryModulus, "a degree beyond its block")
        }
        let bits = ciphertext.blockCount * ciphertext.messageModulus.trailingZeroBitCount
        try claim(type == .bool ? ciphertext.blockCount == 1 : bits == type.bits, "blocks of another width")
        let key = try accepted("a key of the same parameters") {
            let parameters = try KeyParameters(
                messageModulus: ciphertext.messageModulus, carryModulus: ciphertext.carryModulus,
                order: ciphertext.order, length: ciphertext.dimension)
            return try ClientKey(
                packed: SecretBytes.make(count: parameters.packedByteCount) { _ in }, parameters: parameters)
        }
        do {
            let opened = try key.decrypt(ciphertext)
            try claim(opened.value.count == type.byteCount, "a value of another width")
            let last = opened.value.withUnsafeBytes { $0.last ?? 0 }
            try claim(type.bits % 8 == 0 || last >> UInt8(type.bits % 8) == 0, "bits above the value")
        } catch let finding as FuzzFinding {
            throw finding
        } catch {
            try claim((error as? TFHEError)?.code == .noise, "a fitting key is refused: \(error)")
        }
    }

    private static func clientKey(_ body: [UInt8], _ format: ClientKeyFormat, _ length: Int) -> ClientKey? {
        guard let file = locked(body) else { return nil }
        return parsed {
            let expected = try KeyParameters(messageModulus: 4, carryModulus: 4, order: .big, length: length)
            return try ClientKey(reading: file, as: format, expecting: format == .concrete ? expected : nil)
        }
    }

    /// Every word of the file is the bit of the packed key, and the bits make the same key again.
    private static func isPacked(_ key: ClientKey, _ body: [UInt8], _ format: ClientKeyFormat) throws(FuzzFinding) {
        let packed = key.withPackedBits { bits in bits.withUnsafeBytes { Array($0) } }
        try claim(packed.count == key.parameters.packedByteCount, "a packed key of another length")
        let offset = try accepted("the same file") {
            try body.withUnsafeBytes { bytes in
                try ClientKeyReader.read(bytes, format, expecting: format == .concrete ? key.parameters : nil).words
                    .offset
            }
        }
        for index in 0..<8 * packed.count {
            let bit = packed[index / 8] >> UInt8(index % 8) & 1
            let word = index < key.parameters.length ? body[offset + 8 * index] : 0
            try claim(bit == word, "bit \(index) of a key is not its word")
        }
        let again = try accepted("packed bits") {
            try ClientKey(
                packed: SecretBytes.make(count: packed.count) { $0.copyBytes(from: packed) }, parameters: key.parameters
            )
        }
        let prints = try accepted("fingerprints") { (try key.fingerprint(), try again.fingerprint()) }
        try claim(prints.0 == prints.1, "packed bits are another key")
    }
}
