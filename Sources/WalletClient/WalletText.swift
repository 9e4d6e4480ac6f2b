/// Public values as 0Chain's clients write them: hexadecimal, lower case; upper case is read too.
enum WalletText {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Parameter what: Names the operand in the error.
    static func decode(_ text: String, count: Int, _ what: String) throws(WalletError) -> [UInt8] {
        let digits = Array(text.utf8)
        guard digits.count == 2 * count else {
            throw WalletError(.invalidInput, "\(what) has \(2 * count) hexadecimal digits, not \(digits.count).")
        }
        var bytes: [UInt8] = []
        for index in 0..<count {
            guard let high = value(digits[2 * index]), let low = value(digits[2 * index + 1]) else {
                throw WalletError(.invalidInput, "\(what) has characters that are no hexadecimal digits.")
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// Without a table: no address depends on a digit of a secret.
    static func digit(_ value: UInt8) -> UInt8 { value &+ 0x30 &+ (((9 &- Int8(value)) >> 7).magnitude &* 0x27) }

    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
