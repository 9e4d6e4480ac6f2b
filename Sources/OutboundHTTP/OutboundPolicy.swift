import Encodings

/// Which addresses this daemon may call.
///
/// HTTPS to public addresses is allowed. Everything else, plain HTTP included, must be on the allow-list, because a URL
/// may come from a caller who cannot reach our network himself.
///
/// - Concurrency: a value.
public struct OutboundPolicy: Sendable, Hashable {
    private struct Entry: Hashable, Sendable {
        var host: OutboundURL.Host
        /// Nil: every port.
        var port: Int?
    }

    private var entries: [Entry] = []
    private var ranges: [NetworkRange] = []

    /// Public HTTPS only.
    public static let publicOnly = OutboundPolicy()

    private init() {}

    /// Reads an allow-list: hosts, `HOST:PORT`, addresses (IPv6 in brackets) and ranges such as `10.1.0.0/16`, separated
    /// by commas; empty allows nothing more than public HTTPS.
    ///
    /// A listed name is allowed at whatever address it has, except link-local, multicast and unspecified ones.
    ///
    /// - Throws: `.configurationRefused` naming the entry.
    public init(allowing list: String) throws(OutboundError) {
        guard !list.isEmpty else { return }
        for item in list.splitExactly(at: ",") {
            let text = item.trimmingBlanks()
            if text.containsExactly("/") {
                guard let range = NetworkRange(text) else {
                    throw Self.refused(text, "is no range such as 10.1.0.0/16 with zeros after its prefix")
                }
                ranges.append(range)
                continue
            }
            entries.append(try Self.entry(text))
        }
    }

    private static func entry(_ text: Substring) throws(OutboundError) -> Entry {
        var (host, port): (Substring, Int?) = (text, nil)
        // exact: a host that is not ASCII is refused below.
        if let colon = text.lastIndex(of: ":"), !text.endsExactly(with: "]") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65535).contains(number) else {
                throw refused(text, "has no valid port; IPv6 addresses stand in brackets")
            }
            (host, port) = (text[..<colon], number)
        }
        do {
            return Entry(host: try OutboundURL.host(host), port: port)
        } catch {
            throw refused(text, "is not understood: \(error.message)")
        }
    }

    private static func refused(_ entry: Substring, _ reason: String) -> OutboundError {
        OutboundError(.configurationRefused, "'\(entry)' \(reason)")
    }

    /// Checks what can be told without asking for the host's address: the form, the scheme, and an address in it.
    ///
    /// - Throws: `.addressRefused`.
    public func check(url: String) throws(OutboundError) {
        let url = try OutboundURL(url)
        switch url.host {
        case .address(let address): try check(address, of: url)
        case .name: try checkScheme(url)
        }
    }

    func checkScheme(_ url: OutboundURL) throws(OutboundError) {
        // A name may have an address in a listed range; that is seen when it is resolved.
        guard url.isSecure || lists(url) || !ranges.isEmpty else { throw Self.plain }
    }

    /// Checks one address that a request to `url` would be sent to.
    func check(_ address: NetworkAddress, of url: OutboundURL) throws(OutboundError) {
        guard !NetworkRange.isUncallable(address) else {
            throw Self.refused("it is unspecified, multicast, reserved or a mapped address")
        }
        if ranges.contains(where: { $0.contains(address) }) { return }
        if lists(url) {
            if case .address = url.host { return }
            guard !NetworkRange.linkLocal.contains(where: { $0.contains(address) }) else {
                throw Self.refused("the name leads to a link-local address")
            }
            return
        }
        guard !NetworkRange.special.contains(where: { $0.contains(address) }),
            !address.isIPv6 || NetworkRange.globalUnicast.contains(where: { $0.contains(address) })
        else { throw Self.refused("it is not public and not on the allow-list (outbound-allow)") }
        guard url.isSecure else { throw Self.plain }
    }

    private func lists(_ url: OutboundURL) -> Bool {
        entries.contains { $0.host == url.host && ($0.port == nil || $0.port == url.port) }
    }

    private static let plain = OutboundError(
        .addressRefused, "plain http is allowed only to hosts on the allow-list (outbound-allow)")

    private static func refused(_ reason: String) -> OutboundError {
        OutboundError(.addressRefused, "the address may not be called: \(reason)")
    }
}
