import Encodings

/// Where to listen: a host and a port.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// Without brackets.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int

    /// Parses `127.0.0.1:8074`, `localhost:8074` or `[::1]:8074`.
    public init(parsing text: String) throws(ConfigurationError) {
        // exact: a colon with an accent on it is none, and refused.
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ConfigurationError("'\(text)' is not HOST:PORT, such as 127.0.0.1:8074")
        }
        var host = String(text[..<colon])
        if host.startsExactly(with: "["), host.endsExactly(with: "]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else {
            throw ConfigurationError(
                "'\(text)' names no host; give 127.0.0.1, or 0.0.0.0 for every interface")
        }
        self.host = host
        self.port = Int(port)
    }

    /// Whether only processes of this machine reach it.
    public var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.splitExactly(at: ".")
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    public var description: String { host.containsExactly(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
