import Encodings
import KMSConfiguration

/// What `base-url` says of how callers reach this server: the host they name, and what a proxy takes off the path.
struct PublicAddress: Sendable, Equatable {
    /// In one spelling, without the scheme's own port.
    let authority: String
    /// As `base-url` has it.
    private let written: String
    /// Put before the path that arrives; no slash at its end, empty for none.
    let prefix: String
    private let isSecure: Bool

    /// - Parameter baseURL: Absolute; no slash at its end.
    init(baseURL: String) {
        isSecure = baseURL.startsExactly(with: "https://")
        let rest = baseURL.drop { $0 != ":" }.dropFirst(3)
        let authority = rest.prefix { $0 != "/" }
        written = String(authority)
        self.authority = HostField.normalized(written, isSecure: isSecure)
        prefix = String(rest.dropFirst(authority.count))
    }

    /// The whole of it in one spelling: libraries write URLs so, whatever they were given.
    var url: String { (isSecure ? "https://" : "http://") + authority + prefix }

    /// Host and path that a caller of a request may have signed.
    struct Target: Equatable {
        var host: String
        var uri: String
    }

    /// What a signature over a request may name, the likeliest first.
    ///
    /// Always the public URL: whatever a proxy made of host and path, that is what a caller signs. What arrived counts as
    /// well for who calls this server itself, by the address that the connection came in on. The host that arrived
    /// alone proves nothing, since whoever sends the request chooses it: a request signed for another server of the same
    /// name, or for another path behind the same proxy, must not be accepted here. The two are never mixed.
    ///
    /// - Parameters:
    ///   - host: As it arrived; nil if none did.
    ///   - own: The addresses of this server on the connection, without port.
    func targets(host: String?, uri: String, own: [String]) -> [Target] {
        let arrived = host.map { HostField.normalized($0, isSecure: isSecure) }
        if arrived == authority, let host { return [Target(host: host, uri: prefix + uri)] }
        guard let host, own.contains(HostField.host(of: host)) else { return published(uri) }
        return [Target(host: host, uri: uri)] + published(uri)
    }

    /// A proxy that writes a host of its own leaves open how the caller had spelled the public one.
    private func published(_ uri: String) -> [Target] {
        (written.isExactly(authority) ? [authority] : [authority, written]).map { Target(host: $0, uri: prefix + uri) }
    }

    /// The same where no signature need name a target at all: what arrived counts as it does on TrustBloc's server.
    func lenientTargets(host: String?, uri: String) -> [Target] {
        let arrived = Target(host: host ?? authority, uri: uri)
        return [arrived] + published(uri).filter { $0 != arrived }
    }
}
