extension JSONScanner {
    mutating func string() throws(StrictJSONError) -> JSONString {
        guard take(UInt8(ascii: "\"")) else { throw malformed }
        if onlyFindsParts { return try passedOver() }
        let start = position
        var isEscaped = false
        while true {
            skipPlainCharacters()
            guard position < bytes.count else { throw malformed }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return JSONString(range: start..<position - 1, isEscaped: isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                try escape()
            case 0..<0x20: throw malformed
            case 0x80...: try multibyteCharacter()
            default: position += 1
            }
        }
    }

    /// To the quote that ends the string, whatever is before it: its name matches none that is asked for if it is escaped.
    private mutating func passedOver() throws(StrictJSONError) -> JSONString {
        let start = position
        var isEscaped = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return JSONString(range: start..<position - 1, isEscaped: isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                position += 2
            default: position += 1
            }
        }
        position = bytes.count
        throw malformed
    }

    /// Moves over ASCII that needs no care, eight bytes at a time.
    private mutating func skipPlainCharacters() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            // A byte's high bit is set where the byte is a quote, a backslash, below 0x20 or above 0x7f. Borrows can
            // only raise false alarms in higher bytes, and the caller looks at each byte itself.
            let special =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- ones &* 0x20) & ~word)
                | word
            guard special & highs == 0 else { return }
            position += 8
        }
    }

    private mutating func escape() throws(StrictJSONError) {
        guard position + 1 < bytes.count else { throw malformed }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard let unit = JSONString.hexadecimal(bytes, at: position + 2) else { throw malformed }
            if unit & 0xfc00 == 0xd800 {
                guard position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"),
                    bytes[position + 7] == UInt8(ascii: "u"),
                    let low = JSONString.hexadecimal(bytes, at: position + 8), low & 0xfc00 == 0xdc00
                else { throw malformed }
                position += 12
            } else {
                guard unit & 0xfc00 != 0xdc00 else { throw malformed }
                position += 6
            }
        default: throw malformed
        }
    }

    /// Well-formed UTF-8 as in the Unicode Standard, table 3-7.
    private mutating func multibyteCharacter() throws(StrictJSONError) {
        let lead = bytes[position]
        var second: ClosedRange<UInt8> = 0x80...0xbf
        let length: Int
        switch lead {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        case 0xf1...0xf3: length = 4
        default: throw malformed
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { throw malformed }
        for offset in 2..<max(2, length) where bytes[position + offset] & 0xc0 != 0x80 { throw malformed }
        position += length
    }
}
