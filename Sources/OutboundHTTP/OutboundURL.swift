import Encodings

/// The parts of an absolute http or https URL that decide where a request goes, read strictly: what two programs could
/// read differently is refused, so that the address that is checked is the one that is called.
struct OutboundURL: Hashable, Sendable {
    enum Host: Hashable, Sendable {
        case address(NetworkAddress)
        /// Lower case, without a dot at its end.
        case name(String)
    }

    let isSecure: Bool
    let host: Host
    let port: Int
    /// The URL with the host in the spelling that was checked.
    let text: String

    private static let longest = 8192

    /// - Throws: `.addressRefused` naming what is wrong.
    init(_ text: String) throws(OutboundError) {
        func refused(_ reason: String) -> OutboundError { OutboundError(.addressRefused, "the URL \(reason)") }
        guard text.utf8.count <= Self.longest else { throw refused("is longer than \(Self.longest) bytes") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "#") })
        else { throw refused("has a fragment, or a character that must be percent-encoded") }
        let scheme = text.prefix { $0 != ":" }.asciiLowercased()
        guard scheme == "https" || scheme == "http", text.dropFirst(scheme.count).startsExactly(with: "://") else {
            throw refused("is neither https nor http")
        }
        isSecure = scheme == "https"
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.containsExactly("@") else { throw refused("has a user name; credentials do not belong there") }
        let (hostText, portText) = try Self.split(authority)
        if let portText {
            guard let number = Int(portText), portText.allSatisfy({ $0.isASCII && $0.isNumber }), portText.count <= 5,
                (1...65535).contains(number)
            else { throw refused("has no valid port") }
            port = number
        } else {
            port = isSecure ? 443 : 80
        }
        host = try Self.host(hostText)
        let name =
            switch host {
            case .address(let address): address.isIPv6 ? "[\(address)]" : "\(address)"
            case .name(let name): name
            }
        self.text = "\(scheme)://\(name):\(port)\(rest.dropFirst(authority.count))"
    }

    private static func split(_ authority: Substring) throws(OutboundError) -> (Substring, Substring?) {
        if authority.startsExactly(with: "[") {
            // exact: the URL is ASCII.
            guard let end = authority.firstIndex(of: "]") else {
                throw OutboundError(.addressRefused, "the URL has an open bracket without its partner")
            }
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.startsExactly(with: ":") else {
                throw OutboundError(.addressRefused, "the URL has text after an address in brackets")
            }
            return (authority[...end], after.isEmpty ? nil : after.dropFirst())
        }
        // exact: the URL is ASCII.
        guard let colon = authority.firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    /// A host as it stands in a URL.
    static func host(_ text: Substring) throws(OutboundError) -> Host {
        func refused(_ reason: String) -> OutboundError { OutboundError(.addressRefused, "the host \(reason)") }
        if text.startsExactly(with: "[") {
            guard text.endsExactly(with: "]"), let address = NetworkAddress(String(text.dropFirst().dropLast())),
                address.isIPv6
            else { throw refused("is no IPv6 address; zones are not allowed") }
            return .address(address)
        }
        let labels = text.asciiLowercased().splitExactly(at: ".")
        guard text.utf8.count <= 253, !text.isEmpty,
            labels.allSatisfy({ label in
                (1...63).contains(label.utf8.count) && !label.startsExactly(with: "-") && !label.endsExactly(with: "-")
                    && label.utf8.allSatisfy {
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                            || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            })
        else { throw refused("is no name of letters, digits and hyphens") }
        if let address = NetworkAddress(text.asciiLowercased()) { return .address(address) }
        // What a resolver would read as a number, such as 2130706433, 0x7f.1 and 0177.0.0.1, is no name.
        let last = labels[labels.count - 1]
        let isHex = last.startsExactly(with: "0x") && last.dropFirst(2).allSatisfy(\.isHexDigit)
        let isNumber = isHex || last.allSatisfy(\.isNumber)
        guard !isNumber else { throw refused("is an address in an unusual spelling; write four decimal numbers") }
        return .name(labels.joined(separator: "."))
    }
}
