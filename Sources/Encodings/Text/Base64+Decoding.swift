public import SecretMemory

extension Base64 {
    /// Never less than the number of decoded bytes.
    public static func decodedCapacity(_ count: Int) -> Int { count / 4 * 3 + 3 }

    /// Decodes public bytes; nil if the text is not of the form.
    public static func decode(_ text: some StringProtocol, _ form: Form = .standard) -> [UInt8]? {
        var text = String(text)
        return text.withUTF8 { decode(UnsafeRawBufferPointer($0), form) }
    }

    /// Decodes public bytes; nil if the text is not of the form.
    public static func decode(_ text: some Collection<UInt8>, _ form: Form = .standard) -> [UInt8]? {
        text.withContiguousStorageIfAvailable { decode(UnsafeRawBufferPointer($0), form) }
            ?? Array(text).withUnsafeBytes { decode($0, form) }
    }

    /// Decodes public bytes; nil if the text is not of the form.
    public static func decode(_ text: UnsafeRawBufferPointer, _ form: Form = .standard) -> [UInt8]? {
        var valid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: decodedCapacity(text.count)) { buffer, count in
            let written = decode(text, into: UnsafeMutableRawBufferPointer(buffer), form)
            valid = written != nil
            count = written ?? 0
        }
        return valid ? bytes : nil
    }

    /// Decodes into memory the caller owns, by table: the time depends on the characters' places in memory.
    ///
    /// - Parameter output: At least ``decodedCapacity(_:)`` bytes.
    /// - Returns: How many bytes were written; nil if the text is not of the form.
    public static func decode(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ form: Form = .standard
    ) -> Int? {
        let table =
            switch form.alphabet {
            case .standard: standardValues
            case .url: urlValues
            case .either: eitherValues
            }
        return table.withUnsafeBufferPointer { table in decode(text, into: output, form) { table[Int($0)] } }
    }

    /// Decodes a caller's message straight into locked memory; nil if the text is not of the form.
    public static func decodeSecret(_ text: UnsafeRawBufferPointer, _ form: Form) throws -> SharedSecret? {
        var valid = true
        let secret = try SecretBytes.make(capacity: decodedCapacity(text.count)) { output in
            let written = decode(text, into: output, form)
            valid = written != nil
            return written ?? 0
        }
        return valid ? SharedSecret(secret) : nil
    }

    /// Decodes key material into locked memory, by comparisons instead of a table, so that no place in memory depends on a
    /// character; nil if the text is not of the form.
    public static func decodeKey(_ text: UnsafeRawBufferPointer, _ form: Form) throws -> SecretBytes? {
        var valid = true
        let secret = try SecretBytes.make(capacity: decodedCapacity(text.count)) { output in
            let written = decode(text, into: output, form) { comparedValue($0, form.alphabet) }
            valid = written != nil
            return written ?? 0
        }
        guard valid else { return nil }
        return secret
    }

    /// - Parameter value: 0 to 63, or 0x80 for what is no character of the alphabet.
    @inline(__always)
    private static func decode(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ form: Form,
        _ value: (UInt8) -> UInt8
    ) -> Int? {
        precondition(output.count >= decodedCapacity(text.count), "the output is too small for the decoding")
        var (read, write) = (0, 0)
        while read + 4 <= text.count {
            let (a, b) = (value(text[read]), value(text[read + 1]))
            let (c, d) = (value(text[read + 2]), value(text[read + 3]))
            if (a | b | c | d) & 0x80 != 0 { break }
            let group = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
            store(group, 3, output, &write)
            read += 4
        }
        var (group, characters, paddings) = (UInt32(0), 0, 0)
        for index in read..<text.count {
            let byte = text[index]
            if form.skipsLineBreaks, byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { continue }
            if byte == padding {
                paddings += 1
                continue
            }
            let value = value(byte)
            guard value & 0x80 == 0, paddings == 0 else { return nil }
            group = group << 6 | UInt32(value)
            characters += 1
            guard characters == 4 else { continue }
            store(group, 3, output, &write)
            (group, characters) = (0, 0)
        }
        let isPadded = paddings > 0
        switch (characters, paddings) {
        case (0, 0): return write
        case (2, 0), (2, 2): guard group & 0xf == 0 else { return nil }
        case (3, 0), (3, 1): guard group & 3 == 0 else { return nil }
        default: return nil
        }
        switch form.padding {
        case .required: guard isPadded else { return nil }
        case .forbidden: guard !isPadded else { return nil }
        case .optional: break
        }
        store(group << (6 * UInt32(4 - characters)), characters - 1, output, &write)
        return write
    }

    @inline(__always)
    private static func store(
        _ group: UInt32, _ count: Int, _ output: UnsafeMutableRawBufferPointer, _ write: inout Int
    ) {
        for index in 0..<count {
            output[write] = UInt8(truncatingIfNeeded: group >> (16 - 8 * UInt32(index)))
            write += 1
        }
    }

    private static func comparedValue(_ byte: UInt8, _ alphabet: Form.Alphabet) -> UInt8 {
        func range(_ first: UInt8, _ last: UInt8, _ base: UInt8) -> UInt8 {
            let isIn: UInt8 = (byte >= first ? 1 : 0) & (byte <= last ? 1 : 0)
            return (byte &- first &+ base &+ 1) & (0 &- isIn)
        }
        var found =
            range(UInt8(ascii: "A"), UInt8(ascii: "Z"), 0) | range(UInt8(ascii: "a"), UInt8(ascii: "z"), 26)
            | range(UInt8(ascii: "0"), UInt8(ascii: "9"), 52)
        if alphabet != .url {
            found |= range(UInt8(ascii: "+"), UInt8(ascii: "+"), 62) | range(UInt8(ascii: "/"), UInt8(ascii: "/"), 63)
        }
        if alphabet != .standard {
            found |= range(UInt8(ascii: "-"), UInt8(ascii: "-"), 62) | range(UInt8(ascii: "_"), UInt8(ascii: "_"), 63)
        }
        // 0 is what is no character, and becomes 0xFF; 1 to 64 become the values.
        return found &- 1
    }

    /// The value of each character, 0x80 for those that have none.
    private static func values(_ alphabets: [[UInt8]]) -> [UInt8] {
        var values = [UInt8](repeating: 0x80, count: 256)
        for alphabet in alphabets {
            for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        }
        return values
    }

    private static let standardValues = values([standardAlphabet])
    private static let urlValues = values([urlAlphabet])
    private static let eitherValues = values([standardAlphabet, urlAlphabet])
}
