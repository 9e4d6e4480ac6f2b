extension TokenURI {
    /// Splits `name=value` pairs and decodes the values; a name may appear once in the whole URI.
    static func attributes(
        _ text: Substring, separator: Character, seen: inout Set<String>
    ) throws(HSMError) -> [(String, [UInt8])] {
        if text.isEmpty { return [] }
        var result: [(String, [UInt8])] = []
        for pair in text.split(separator: separator, omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw refused("an attribute is not 'name=value'") }
            let name = String(parts[0])
            guard seen.insert(name).inserted else { throw refused("'\(printable(name))' appears twice") }
            let value = try decoded(parts[1], name)
            guard !value.isEmpty else { throw refused("'\(printable(name))' is empty") }
            result.append((name, value))
        }
        return result
    }

    private static func decoded(_ text: Substring, _ name: String) throws(HSMError) -> [UInt8] {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(nibble), let low = iterator.next().flatMap(nibble) else {
                    throw refused("'\(printable(name))' has a '%' that is not followed by two hexadecimal digits")
                }
                bytes.append(high << 4 | low)
            } else {
                guard byte > 0x20, byte < 0x7F else {
                    throw refused("'\(printable(name))' has a character that must be percent-encoded")
                }
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    static func string(_ name: String, _ value: [UInt8]) throws(HSMError) -> String {
        guard !value.contains(0), let text = String(validating: value, as: UTF8.self) else {
            throw refused("'\(name)' is not text")
        }
        return text
    }

    /// Percent-encodes everything outside RFC 3986's unreserved set and `/`, `:`.
    static func encoded(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"), UInt8(ascii: ":"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }

    /// A name that may come from a mistaken URI, cut and without control characters.
    static func printable(_ name: String) -> String {
        String(name.unicodeScalars.prefix(32).map { $0.value < 0x20 || $0.value > 0x7E ? "?" : Character($0) })
    }

    static func refused(_ why: String) -> HSMError {
        HSMError(.configurationRefused, "The token URI is refused: \(why).")
    }

    static var pinValue: HSMError {
        refused("'pin-value' would show the PIN in process lists; put it in a 0600 file and give 'pin-source'")
    }
}
