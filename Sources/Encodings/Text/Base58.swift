/// Base58 in the Bitcoin alphabet (draft-msporny-base58), bounded so that its quadratic cost stays small.
public enum Base58 {
    private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
    /// The value of each character, 0xFF for those that have none.
    private static let digits: [UInt8] = {
        var digits = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { digits[Int(character)] = UInt8(value) }
        return digits
    }()
    /// Longest accepted text, in characters.
    public static let longestText = 256

    public static func encode(_ bytes: [UInt8]) -> String {
        var digits: [Int] = []
        for byte in bytes {
            var carry = Int(byte)
            for index in digits.indices {
                carry += digits[index] << 8
                digits[index] = carry % 58
                carry /= 58
            }
            while carry > 0 {
                digits.append(carry % 58)
                carry /= 58
            }
        }
        let zeros = bytes.prefix { $0 == 0 }.map { _ in alphabet[0] }
        return String(decoding: zeros + digits.reversed().map { alphabet[$0] }, as: UTF8.self)
    }

    /// Decodes, or answers nil for a foreign character or more than ``longestText`` characters.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count <= longestText else { return nil }
        var bytes: [Int] = []
        for character in text.utf8 {
            var carry = Int(digits[Int(character)])
            guard carry < 58 else { return nil }
            for index in bytes.indices {
                carry += bytes[index] * 58
                bytes[index] = carry & 0xFF
                carry >>= 8
            }
            while carry > 0 {
                bytes.append(carry & 0xFF)
                carry >>= 8
            }
        }
        let zeros = text.utf8.prefix { $0 == alphabet[0] }.map { _ in UInt8(0) }
        return zeros + bytes.reversed().map { UInt8($0) }
    }
}
