import Encodings

/// A host with or without a port, as the `Host` field and a URL's authority have it (RFC 3986, section 3.2).
package enum HostField {
    private static let longest = 255 + 6

    /// Names of letters, digits and `-._~`, IPv4 addresses, and IPv6 addresses in brackets.
    package static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...longest).contains(bytes.count) else { return false }
        let host: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end > 1,
                bytes[1..<end].allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
            else { return false }
            host = bytes[...end]
        } else {
            host = bytes.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, host.allSatisfy(isNameByte) else { return false }
        }
        let port = bytes[host.endIndex...]
        if port.isEmpty { return true }
        // A colon without a number means the scheme's own port.
        let digits = port.dropFirst()
        guard port.first == UInt8(ascii: ":"), digits.count <= 5,
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return false }
        return digits.isEmpty || Int(String(decoding: digits, as: UTF8.self)).map { (1...65535).contains($0) } == true
    }

    /// The host and port in one spelling: lower case, without the port that the scheme has anyway.
    package static func normalized(_ text: String, isSecure: Bool) -> String {
        var text = text.asciiLowercased()
        for port in [isSecure ? ":443" : ":80", ":"] where text.endsExactly(with: port) {
            text.removeLast(port.utf8.count)
            break
        }
        return text
    }

    /// The host in lower case, without port; an IPv6 address keeps its brackets.
    package static func host(of text: String) -> String {
        let text = text.asciiLowercased()
        // exact: a host is ASCII by now.
        guard let colon = text.lastIndex(of: ":"), !text.endsExactly(with: "]") else { return text }
        return String(text[..<colon])
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: isAlphanumeric(byte)
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
