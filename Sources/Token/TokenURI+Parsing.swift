import Encodings

extension TokenURI {
    /// The two parts of a URI and what may stand in each unencoded (RFC 7512 section 2.3).
    package enum Part {
        case path, query

        var separator: UInt8 { self == .path ? UInt8(ascii: ";") : UInt8(ascii: "&") }

        func allows(_ byte: UInt8) -> Bool {
            if PercentEncoding.isUnreserved(byte) || Self.reserved.contains(byte) { return true }
            return (self == .path ? Self.pathOnly : Self.queryOnly).contains(byte)
        }

        /// What is printed unencoded: enough for a path to stay readable.
        func prints(_ byte: UInt8) -> Bool {
            PercentEncoding.isUnreserved(byte)
                || self == .query && (byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":"))
        }

        private static let reserved = Array(":[]@!$'()*+,=".utf8)
        private static let pathOnly = Array("&".utf8)
        /// The RFC also allows `?`: a second one is more likely a mistaken `&`, and may hide a PIN in a path.
        private static let queryOnly = Array("/|".utf8)
    }

    /// Splits `name=value` pairs and decodes the values; a name may appear once in the whole URI.
    ///
    /// Works on bytes: a combining character must not hide a separator.
    package static func attributes(
        _ text: ArraySlice<UInt8>, _ part: Part, seen: inout Set<String>  // exact: names of attributes, ASCII already.
    ) throws(HSMError) -> [(String, [UInt8])] {
        if text.isEmpty { return [] }
        var result: [(String, [UInt8])] = []
        for pair in text.split(separator: part.separator, omittingEmptySubsequences: false) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), equals > pair.startIndex else {
                throw refused("an attribute is not 'name=value'")
            }
            let name = String(decoding: pair[..<equals], as: UTF8.self)
            if name == "pin-value" { throw pinValue }
            if part == .path, ["module-path", "pin-source"].contains(name) {
                throw refused("'\(name)' belongs after '?'")
            }
            guard seen.insert(name).inserted else { throw refused("'\(printable(name))' appears twice") }
            let value = try decoded(pair[(equals + 1)...], part, name)
            guard !value.isEmpty else { throw refused("'\(printable(name))' is empty") }
            result.append((name, value))
        }
        return result
    }

    private static func decoded(_ text: ArraySlice<UInt8>, _ part: Part, _ name: String) throws(HSMError) -> [UInt8] {
        var bytes: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(nibble), let low = iterator.next().flatMap(nibble) else {
                    throw refused("'\(printable(name))' has a '%' that is not followed by two hexadecimal digits")
                }
                bytes.append(high << 4 | low)
            } else {
                guard part.allows(byte) else {
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

    package static func string(_ name: String, _ value: [UInt8]) throws(HSMError) -> String {
        guard !value.contains(0), let text = String(validating: value, as: UTF8.self) else {
            throw refused("'\(name)' is not UTF-8 text without NUL")
        }
        return text
    }

    /// Percent-encodes all that is not printed as it is.
    package static func encoded(_ bytes: some Sequence<UInt8>, _ part: Part) -> String {
        var text = ""
        for byte in bytes {
            if part.prints(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += PercentEncoding.encode(byte)
            }
        }
        return text
    }

    /// A name from a mistaken URI: cut, and anything but letters masked, since a misplaced PIN may be part of it.
    package static func printable(_ name: String) -> String {
        String(decoding: name.utf8.prefix(32).map { isLetter($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"): true
        default: false
        }
    }

    package static func refused(_ why: String) -> HSMError {
        HSMError(.configurationRefused, "The token URI is refused: \(why).")
    }

    static var pinValue: HSMError {
        refused("'pin-value' would show the PIN in process lists; put it in a 0600 file and give 'pin-source'")
    }
}
