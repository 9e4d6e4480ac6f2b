/// Hexadecimal digits of secrets: no branch, and no address, depends on one.
public enum SecretHexadecimal {
    /// The lower-case digits of a byte.
    public static func digits(_ byte: UInt8) -> (UInt8, UInt8) { (digit(byte >> 4), digit(byte & 15)) }

    private static func digit(_ value: UInt8) -> UInt8 {
        // 0x27 lies between "9" and "a"; the shift fills a byte with ones where the value is above 9.
        0x30 &+ value &+ (UInt8(truncatingIfNeeded: (9 - Int16(value)) >> 8) & 0x27)
    }

    /// The value of a digit in either case; 255 for what is no digit.
    public static func value(_ digit: UInt8) -> UInt8 {
        let decimal = digit &- 0x30
        let letter = (digit | 0x20) &- 0x61
        // 0xff where the subtraction borrowed, that is where the value is in range.
        let isDecimal = UInt8(truncatingIfNeeded: (Int16(decimal) - 10) >> 8)
        let isLetter = UInt8(truncatingIfNeeded: (Int16(letter) - 6) >> 8)
        return (decimal & isDecimal) | ((letter &+ 10) & isLetter) | ~(isDecimal | isLetter)
    }
}
