import Encodings
import Glibc

/// A URL that a setting gives, judged before anything uses it: what two programs would read differently, or no client could
/// name in a signature, is refused at start instead of request by request.
enum URLSetting {
    /// What the URL is for.
    enum Use {
        /// Put before paths: it has neither a query nor a slash at its end, which is dropped.
        case base
        /// Called as it is.
        case whole
    }

    private static let longest = 2048

    /// - Returns: The URL, a base without a slash at its end.
    /// - Throws: ``ConfigurationError`` saying what is wrong with which part; it repeats none of it, since a user name may
    ///   come with a password.
    static func read(_ text: String, _ use: Use) throws(ConfigurationError) -> String {
        func refused(_ reason: String) -> ConfigurationError {
            ConfigurationError("the URL \(reason); expected one such as https://kms.example")
        }
        guard text.utf8.count <= longest else { throw refused("is longer than \(longest) bytes") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw refused(
                "has a blank or a character that is not ASCII: write a host's name as DNS has it (xn--…), and "
                    + "percent-encode paths")
        }
        guard !text.utf8.contains(where: { #""<>\^`{|}"#.utf8.contains($0) }) else {
            throw refused("has a character that must be percent-encoded")
        }
        guard !text.containsExactly("#") else { throw refused("has a fragment ('#'), which never reaches a server") }
        guard let rest = text.removing(exactPrefix: "https://") ?? text.removing(exactPrefix: "http://") else {
            throw refused("does not begin with https:// or http://, in lower case")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest.dropFirst(authority.count)
        if let problem = problem(ofAuthority: authority) { throw refused(problem) }
        let (path, query) = (target.prefix { $0 != "?" }, target.drop { $0 != "?" })
        guard hasGoodEscapes(target) else { throw refused("has a '%' without two hexadecimal digits behind it") }
        guard use == .whole || query.isEmpty else {
            throw refused("has a query ('?'), and paths are put behind it")
        }
        guard use == .base else { return text }
        var base = path
        while base.endsExactly(with: "/") { base = base.dropLast() }
        if let problem = problem(ofPath: base) { throw refused(problem) }
        return String(text.prefix(text.count - target.count) + base)
    }

    private static func problem(ofAuthority authority: Substring) -> String? {
        guard !authority.containsExactly("@") else {
            return "has a user name or password ('@'), which no client sends as part of a host"
        }
        guard !authority.isEmpty else { return "names no host" }
        let (host, port) = parts(authority)
        if let port {
            guard let number = UInt16(port), number > 0, "\(number)".isExactly(port) else {
                return "has a port that is none from 1 to 65535, without zeros before it"
            }
        }
        if host.startsExactly(with: "[") {
            guard host.endsExactly(with: "]"), isIPv6(host.dropFirst().dropLast()) else {
                return "has brackets around what is no IPv6 address; zones are not allowed"
            }
            return nil
        }
        guard HostField.isValid(String(host)), host.utf8.count <= 253,
            host.trimmingOneDot().splitExactly(at: ".").allSatisfy({ (1...63).contains($0.utf8.count) })
        else { return "has a host that is no name of letters, digits, hyphens and dots, and no address" }
        guard !isOddAddress(host) else {
            return "has an address in an unusual spelling; write four decimal numbers"
        }
        return nil
    }

    /// Host, and port if there is a colon for it.
    private static func parts(_ authority: Substring) -> (host: Substring, port: Substring?) {
        let bytes = authority.utf8
        let start =
            authority.startsExactly(with: "[")
            ? bytes.firstIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex : bytes.startIndex
        guard let colon = bytes[start...].firstIndex(of: UInt8(ascii: ":")) else { return (authority, nil) }
        return (authority[..<colon], authority[bytes.index(after: colon)...])
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, String(text), &address) == 1
    }

    /// What a resolver reads as a number and another program as a name: 2130706433, 0x7f.1, 010.0.0.1, 1.2.3.
    private static func isOddAddress(_ host: Substring) -> Bool {
        guard let last = host.trimmingOneDot().splitExactly(at: ".").last else { return false }
        let isHex = last.asciiLowercased().startsExactly(with: "0x") && last.dropFirst(2).allSatisfy(\.isHexDigit)
        guard isHex || last.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return false
        }
        var address = in_addr()
        return inet_pton(AF_INET, String(host), &address) != 1
    }

    /// What clients or proxies take out of a path before it is signed or sent on.
    private static func problem(ofPath path: Substring) -> String? {
        guard !path.isEmpty else { return nil }
        for segment in path.dropFirst().splitExactly(at: "/") {
            if segment.isEmpty { return "has an empty part of its path ('//')" }
            let dots = segment.asciiLowercased().replacingEncodedDots()
            if dots.isExactly(".") || dots.isExactly("..") { return "has '.' or '..' as a part of its path" }
        }
        return nil
    }

    private static func hasGoodEscapes(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "%")
                || index + 2 < bytes.count
                    && bytes[index + 1...index + 2].allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        }
    }
}

extension Substring {
    /// Without the dot that ends a name in DNS.
    fileprivate func trimmingOneDot() -> Substring { endsExactly(with: ".") ? dropLast() : self }
}

extension String {
    fileprivate func replacingEncodedDots() -> String {
        var parts: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.first {
            if rest.starts(with: Array("%2e".utf8)) {
                parts.append(UInt8(ascii: "."))
                rest = rest.dropFirst(3)
            } else {
                parts.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: parts, as: UTF8.self)
    }
}
