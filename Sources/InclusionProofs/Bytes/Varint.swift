/// Base-128 numbers as protobuf, ICS-23 and IAVL write them, in their shortest form only.
enum Varint {
    /// The number at the front and how many bytes it takes; nil if it is cut off, longer than 64 bits or padded.
    static func read(_ bytes: ArraySlice<UInt8>) -> (value: UInt64, count: Int)? {
        var value: UInt64 = 0
        for (index, byte) in bytes.prefix(10).enumerated() {
            guard index < 9 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte & 0x80 == 0 {
                guard byte != 0 || index == 0 else { return nil }
                return (value, index + 1)
            }
        }
        return nil
    }

    /// A signed number in zig-zag form, as IAVL's node headers have them.
    static func readSigned(_ bytes: ArraySlice<UInt8>) -> (value: Int64, count: Int)? {
        guard let (raw, count) = read(bytes) else { return nil }
        return (Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1), count)
    }

    static func write(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }
}
