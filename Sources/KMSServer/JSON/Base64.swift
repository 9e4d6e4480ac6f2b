import SecretMemory

/// Base64 as the API carries byte strings (RFC 4648): written in the standard alphabet with padding; read in either
/// alphabet, with or without padding, line breaks skipped.
///
/// Everything else is refused: other characters, padding in the middle, a lone last character and set bits that no
/// byte uses, so that one byte string has few spellings.
enum Base64 {
    /// Writes the four characters for each three bytes.
    ///
    /// - Parameter output: At least ``encodedCount(_:)`` bytes.
    static func encode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        precondition(output.count >= encodedCount(input.count), "the output is too small for the encoding")
        alphabet.withUnsafeBufferPointer { alphabet in
            var read = 0
            var write = 0
            while read + 3 <= input.count {
                let group = UInt32(input[read]) << 16 | UInt32(input[read + 1]) << 8 | UInt32(input[read + 2])
                output[write] = alphabet[Int(group >> 18)]
                output[write + 1] = alphabet[Int(group >> 12 & 63)]
                output[write + 2] = alphabet[Int(group >> 6 & 63)]
                output[write + 3] = alphabet[Int(group & 63)]
                read += 3
                write += 4
            }
            switch input.count - read {
            case 1:
                let group = UInt32(input[read]) << 16
                output[write] = alphabet[Int(group >> 18)]
                output[write + 1] = alphabet[Int(group >> 12 & 63)]
                output[write + 2] = padding
                output[write + 3] = padding
            case 2:
                let group = UInt32(input[read]) << 16 | UInt32(input[read + 1]) << 8
                output[write] = alphabet[Int(group >> 18)]
                output[write + 1] = alphabet[Int(group >> 12 & 63)]
                output[write + 2] = alphabet[Int(group >> 6 & 63)]
                output[write + 3] = padding
            default: break
            }
        }
    }

    /// Turns an encoding into the URL-safe alphabet; padding stays.
    static func makeURLSafe(_ text: UnsafeMutableRawBufferPointer) {
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "+"): text[index] = UInt8(ascii: "-")
            case UInt8(ascii: "/"): text[index] = UInt8(ascii: "_")
            default: break
            }
        }
    }

    /// Public bytes in the URL-safe alphabet, with padding.
    static func urlSafe(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: encodedCount(bytes.count))
        text.withUnsafeMutableBytes { output in
            bytes.withUnsafeBytes { encode($0, into: output) }
            makeURLSafe(output)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The length of the encoding of `count` bytes.
    static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Decodes into memory the caller owns.
    ///
    /// - Parameter output: At least ``decodedCapacity(_:)`` bytes.
    /// - Returns: How many bytes were written; nil if the text is malformed.
    static func decode(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        precondition(output.count >= decodedCapacity(text.count), "the output is too small for the decoding")
        return values.withUnsafeBufferPointer { values in
            var read = 0
            var write = 0
            while read + 4 <= text.count {
                let a = values[Int(text[read])]
                let b = values[Int(text[read + 1])]
                let c = values[Int(text[read + 2])]
                let d = values[Int(text[read + 3])]
                if (a | b | c | d) & 0x80 != 0 { break }
                let group = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
                output[write] = UInt8(truncatingIfNeeded: group >> 16)
                output[write + 1] = UInt8(truncatingIfNeeded: group >> 8)
                output[write + 2] = UInt8(truncatingIfNeeded: group)
                read += 4
                write += 3
            }
            return decodeTail(text, from: read, into: output, at: write, values: values)
        }
    }

    /// Never less than the number of decoded bytes.
    static func decodedCapacity(_ count: Int) -> Int { count / 4 * 3 + 3 }

    /// Decodes public bytes; nil if the text is malformed.
    static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var valid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: decodedCapacity(text.count)) { buffer, count in
            if let written = decode(text, into: UnsafeMutableRawBufferPointer(buffer)) {
                count = written
            } else {
                valid = false
            }
        }
        return valid ? bytes : nil
    }

    /// Decodes straight into locked memory; nil if the text is malformed.
    static func decodeSecret(_ text: UnsafeRawBufferPointer) throws -> SharedSecret? {
        var valid = true
        let secret = try SecretBytes.make(capacity: decodedCapacity(text.count)) { output in
            let written = decode(text, into: output)
            valid = written != nil
            return written ?? 0
        }
        return valid ? SharedSecret(secret) : nil
    }

    /// Character by character, for what the fast loop left: line breaks, padding and the last group.
    private static func decodeTail(
        _ text: UnsafeRawBufferPointer, from start: Int, into output: UnsafeMutableRawBufferPointer, at offset: Int,
        values: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        var write = offset
        var group: UInt32 = 0
        var characters = 0
        var paddings = 0
        for index in start..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { continue }
            if byte == padding {
                paddings += 1
                continue
            }
            let value = values[Int(byte)]
            guard value & 0x80 == 0, paddings == 0 else { return nil }
            group = group << 6 | UInt32(value)
            characters += 1
            if characters == 4 {
                output[write] = UInt8(truncatingIfNeeded: group >> 16)
                output[write + 1] = UInt8(truncatingIfNeeded: group >> 8)
                output[write + 2] = UInt8(truncatingIfNeeded: group)
                write += 3
                group = 0
                characters = 0
            }
        }
        switch (characters, paddings) {
        case (0, 0): return write
        case (2, 0), (2, 2):
            guard group & 0xf == 0 else { return nil }
            output[write] = UInt8(truncatingIfNeeded: group >> 4)
            return write + 1
        case (3, 0), (3, 1):
            guard group & 3 == 0 else { return nil }
            output[write] = UInt8(truncatingIfNeeded: group >> 10)
            output[write + 1] = UInt8(truncatingIfNeeded: group >> 2)
            return write + 2
        default: return nil
        }
    }

    private static let padding = UInt8(ascii: "=")
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The value of each character, 0x80 for those that have none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0x80, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        values[Int(UInt8(ascii: "-"))] = 62
        values[Int(UInt8(ascii: "_"))] = 63
        return values
    }()
}
