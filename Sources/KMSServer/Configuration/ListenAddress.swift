/// Where to listen: a loopback address and a port.
///
/// Other addresses are refused as long as requests are not authorised: whoever reaches the port may use every key.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// Without brackets.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int

    /// Parses `127.0.0.1:8074`, `localhost:8074` or `[::1]:8074`.
    public init(parsing text: String) throws(ConfigurationError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ConfigurationError("'\(text)' is not HOST:PORT, such as 127.0.0.1:8074")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard Self.isLoopback(host) else {
            let place = host.isEmpty ? "every interface" : "'\(host)'"
            throw ConfigurationError(
                "listening on \(place) is refused: requests are not authorised, so whoever reaches the port may use "
                    + "every key; give 127.0.0.1, localhost or [::1] and put a proxy that authenticates in front")
        }
        self.host = host
        self.port = Int(port)
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
