/// The text form of a P-256 recipient: Bech32 as age's plugins write it, `age1tagpq1…`. age and rage seal to it as it is.
///
/// - Source: BIP 173, without its limit of 90 characters, as age does.
extension HybridRecipient {
    private static let prefix = "age1tagpq"
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// `age1tagpq1…`; nil for P-384, which has no such form.
    public var text: String? {
        guard suite == .mlkem768p256 else { return nil }
        let groups = Self.regroup(bytes, from: 8, to: 5, pads: true) ?? []
        let sum = Self.checkSum(groups + [UInt8](repeating: 0, count: 6)) ^ 1
        let check = (0..<6).map { UInt8(sum >> (5 * (5 - $0)) & 31) }
        let letters = (groups + check).map { Self.alphabet[Int($0)] }
        return Self.prefix + "1" + String(decoding: letters, as: UTF8.self)
    }

    /// - Parameter text: As ``text``; all letters small, or all capital.
    /// - Throws: `.recipientRefused`.
    public init(text: String) throws(HybridSealingError) {
        var letters = Array(text.utf8)
        let isCapital = letters.contains { (65...90).contains($0) }
        guard !isCapital || !letters.contains(where: { (97...122).contains($0) }) else {
            throw HybridSealingError(
                .recipientRefused, "A recipient is written in small or in capital letters, not both.")
        }
        if isCapital { letters = letters.map { (65...90).contains($0) ? $0 + 32 : $0 } }
        let start = Array((Self.prefix + "1").utf8)
        guard letters.starts(with: start) else {
            throw HybridSealingError(.recipientRefused, "A recipient begins with \(Self.prefix)1.")
        }
        var groups: [UInt8] = []
        for letter in letters.dropFirst(start.count) {
            guard let value = Self.alphabet.firstIndex(of: letter) else {
                throw HybridSealingError(.recipientRefused, "A recipient holds a character that Bech32 has not.")
            }
            groups.append(UInt8(value))
        }
        guard groups.count > 6, Self.checkSum(groups) == 1 else {
            throw HybridSealingError(
                .recipientRefused, "The check sum of the recipient does not fit: a character is wrong or missing.")
        }
        guard let bytes = Self.regroup(Array(groups.dropLast(6)), from: 5, to: 8, pads: false) else {
            throw HybridSealingError(.recipientRefused, "The recipient ends within a byte.")
        }
        try self.init(bytes)
        guard suite == .mlkem768p256 else {
            throw HybridSealingError(.recipientRefused, "A recipient of this form has a P-256 key.")
        }
    }

    private static func checkSum(_ groups: [UInt8]) -> UInt32 {
        let prefix = Array(prefix.utf8)
        var sum: UInt32 = 1
        for value in prefix.map({ $0 >> 5 }) + [0] + prefix.map({ $0 & 31 }) + groups {
            let top = sum >> 25
            sum = (sum & 0x1FF_FFFF) << 5 ^ UInt32(value)
            for (bit, generator) in [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3].enumerated()
            where top >> bit & 1 == 1 { sum ^= UInt32(generator) }
        }
        return sum
    }

    /// - Returns: Nil when bits are left that are not zero, or a whole group of them.
    private static func regroup(_ values: [UInt8], from: Int, to: Int, pads: Bool) -> [UInt8]? {
        var (held, bits) = (0, 0)
        var out: [UInt8] = []
        for value in values {
            held = held << from | Int(value)
            bits += from
            while bits >= to {
                bits -= to
                out.append(UInt8(held >> bits & (1 << to - 1)))
            }
            held &= 1 << bits - 1
        }
        if pads {
            if bits > 0 { out.append(UInt8(held << (to - bits))) }
        } else if bits >= from || held != 0 {
            return nil
        }
        return out
    }
}
