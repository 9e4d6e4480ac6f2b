/// Standard base64 with padding, of public bytes; single characters in both alphabets.
enum Base64Text {
    static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        for start in stride(from: 0, to: characters.count, by: 4) {
            let isLast = start + 4 == characters.count
            let paddings = isLast ? characters[start...].reversed().prefix { $0 == UInt8(ascii: "=") }.count : 0
            guard paddings <= 2 else { return nil }
            var group: UInt32 = 0
            for place in 0..<4 {
                if place >= 4 - paddings {
                    group <<= 6
                    continue
                }
                let byte = characters[start + place]
                guard byte != UInt8(ascii: "-"), byte != UInt8(ascii: "_"), let value = value(byte) else { return nil }
                group = group << 6 | value
            }
            for place in 0..<(3 - paddings) {
                bytes.append(UInt8(truncatingIfNeeded: group >> (16 - 8 * UInt32(place))))
            }
        }
        return bytes
    }

    static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 48 + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
