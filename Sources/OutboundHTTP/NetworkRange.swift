import Encodings

/// Addresses with the same first bits, such as `10.0.0.0/8`.
struct NetworkRange: Hashable, Sendable {
    let prefix: NetworkAddress
    let length: Int

    init(_ prefix: NetworkAddress, length: Int) {
        self.prefix = prefix
        self.length = length
    }

    /// `ADDRESS/LENGTH`; bits after the prefix must be zero, so that a slip does not allow more than was meant.
    init?(_ text: some StringProtocol) {
        let parts = text.splitExactly(at: "/")
        guard parts.count == 2, let prefix = NetworkAddress(String(parts[0])), let length = Int(parts[1]),
            String(length).isExactly(parts[1]), (0...prefix.bytes.count * 8).contains(length)
        else { return nil }
        for bit in length..<(prefix.bytes.count * 8)
        where prefix.bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
        self.init(prefix, length: length)
    }

    func contains(_ address: NetworkAddress) -> Bool { address.isIn(prefix, length: length) }

    private static func list(_ texts: [String]) -> [NetworkRange] {
        texts.map { text in
            guard let range = NetworkRange(text) else { preconditionFailure("'\(text)' is no range") }
            return range
        }
    }

    /// Never the address of one server: unspecified, multicast, reserved, and IPv4 dressed as IPv6, under which every
    /// other range would have to be written twice.
    private static let uncallable = list([
        "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48",
        "2001::/32", "2002::/16", "ff00::/8",
    ])

    /// Whether no policy may allow it.
    static func isUncallable(_ address: NetworkAddress) -> Bool {
        address != loopback && uncallable.contains { $0.contains(address) }
    }

    /// It lies among the IPv4 addresses dressed as IPv6.
    private static let loopback = NetworkAddress(bytes: [UInt8](repeating: 0, count: 15) + [1])

    /// Where clouds serve their machines' credentials: allowed as an address or range only, never through a name.
    static let linkLocal = list(["169.254.0.0/16", "fe80::/10"])

    /// Not reachable from everywhere.
    ///
    /// - Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890).
    static let special =
        linkLocal
        + list([
            "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "2001:db8::/32", "2001::/23", "3fff::/20",
        ])

    /// Public IPv6 addresses are in here.
    static let globalUnicast = list(["2000::/3"])
}
