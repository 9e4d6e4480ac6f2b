/// Hexadecimal of public values, never of secrets: it branches on its input.
public enum Hexadecimal {
    /// Which digits are read.
    public enum Letters: Sendable { case lower, either }

    private static let digits = Array("0123456789abcdef".utf8)

    /// Lower case. In a form of its own, since callers in other targets would get no special form of the general one.
    public static func encode(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBufferPointer { encode($0) }
    }

    /// Lower case.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { output in
            var write = 0
            for byte in bytes {
                output[write] = digits[Int(byte >> 4)]
                output[write + 1] = digits[Int(byte & 15)]
                write += 2
            }
            return write
        }
    }

    /// Nil for an odd count of digits or anything else than a digit.
    public static func decode(_ text: String, _ letters: Letters = .lower) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 2)
        for index in stride(from: 0, to: characters.count, by: 2) {
            guard let high = value(characters[index], letters), let low = value(characters[index + 1], letters)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// 0 to 15; nil for what is no digit.
    public static func value(_ digit: UInt8, _ letters: Letters) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F") where letters == .either: digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
