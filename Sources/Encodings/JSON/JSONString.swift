/// A string between its quotes, as it stands in the text. Already known to be well-formed.
package struct JSONString: Equatable {
    package let range: Range<Int>
    /// Whether it holds a backslash.
    package let isEscaped: Bool

    package func text(in bytes: UnsafeRawBufferPointer) -> String {
        if isEscaped { return String(decoding: unescaped(in: bytes), as: UTF8.self) }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// The characters it stands for, as UTF-8.
    package func unescaped(in bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            count = unescape(bytes, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Writes the characters it stands for, as UTF-8, and returns how many bytes they take.
    ///
    /// - Parameter output: At least as long as the range; it may be the same memory, since no escape grows: writing
    ///   never overtakes reading.
    package func unescape(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        var read = range.lowerBound
        var write = 0
        func put(_ byte: UInt8) {
            output[write] = byte
            write += 1
        }
        while read < range.upperBound {
            let byte = bytes[read]
            guard byte == UInt8(ascii: "\\") else {
                put(byte)
                read += 1
                continue
            }
            let kind = bytes[read + 1]
            read += 2
            switch kind {
            case UInt8(ascii: "b"): put(0x08)
            case UInt8(ascii: "f"): put(0x0c)
            case UInt8(ascii: "n"): put(0x0a)
            case UInt8(ascii: "r"): put(0x0d)
            case UInt8(ascii: "t"): put(0x09)
            case UInt8(ascii: "u"):
                var scalar = Self.hexadecimal(bytes, at: read) ?? 0
                read += 4
                if scalar & 0xfc00 == 0xd800 {
                    scalar = 0x10000 + (scalar & 0x3ff) << 10 + (Self.hexadecimal(bytes, at: read + 2) ?? 0) & 0x3ff
                    read += 6
                }
                guard let character = Unicode.Scalar(scalar) else {
                    preconditionFailure("the scanner accepts only whole surrogate pairs")
                }
                for unit in UTF8.encode(character) ?? .init() { put(unit) }
            default: put(kind)
            }
        }
        return write
    }

    /// Four hexadecimal digits.
    static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for index in start..<start + 4 {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
