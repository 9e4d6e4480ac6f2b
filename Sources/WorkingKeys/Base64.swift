/// Base64 of public values (RFC 4648): standard with padding, or URL-safe without.
enum Base64 {
    static func standard(_ bytes: [UInt8]) -> String {
        let text = encode(bytes, alphabet: common + Array("+/".utf8))
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    static func url(_ bytes: [UInt8]) -> String { encode(bytes, alphabet: common + Array("-_".utf8)) }

    private static let common = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    private static func encode(_ bytes: [UInt8], alphabet: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var (window, bits) = (UInt32(0), 0)
        for byte in bytes {
            window = (window << 8 | UInt32(byte)) & 0xFFFF
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(window >> UInt32(bits)) & 0x3F])
            }
        }
        if bits > 0 { text.append(alphabet[Int(window << UInt32(6 - bits)) & 0x3F]) }
        return String(decoding: text, as: UTF8.self)
    }
}
