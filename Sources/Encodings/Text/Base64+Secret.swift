extension Base64 {
    /// Decodes the lines of a PEM block from locked memory into locked memory.
    ///
    /// - Parameter output: At least as long as `text`.
    /// - Returns: How many bytes there are; nil if it is no base64.
    package static func decode(
        lines text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var (bits, width, count, padding): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for byte in text where ![0x0a, 0x0d, 0x20].contains(byte) {
            let value: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte) - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte) - 97 + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte) - 48 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="):
                padding += 1
                continue
            default: return nil
            }
            guard padding == 0 else { return nil }
            bits = bits << 6 | value
            width += 6
            if width >= 8 {
                width -= 8
                output[count] = UInt8(truncatingIfNeeded: bits >> width)
                count += 1
            }
        }
        return padding <= 2 && width < 6 ? count : nil
    }
}
