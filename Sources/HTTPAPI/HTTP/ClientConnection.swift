import Encodings
package import NIOCore
import NIOSSL
import OutboundHTTP
import SplitKeys

/// Where a request came from.
package struct ClientConnection: Sendable {
    /// Nil where no connection is, as in tests that call the responder.
    package var channel: (any Channel)?

    package init(channel: (any Channel)? = nil) { self.channel = channel }

    /// Whom attempts are counted against: an IPv4 address, or the half of an IPv6 one that a subscriber is given
    /// (RFC 6177), since the other half is free to choose. `-` without a connection.
    var subscriber: String {
        guard let text = channel?.remoteAddress?.ipAddress, let address = NetworkAddress(text) else { return "-" }
        let bytes = address.bytes
        guard address.isIPv6 else { return address.description }
        // An IPv4 address as a socket for both kinds shows it (RFC 4291, section 2.5.5.2).
        if bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] {
            return bytes.suffix(4).map { String($0) }.joined(separator: ".")
        }
        return Hexadecimal.encode(Array(bytes.prefix(8))) + "/64"
    }

    /// What a client that calls this server itself may name it: the address its connection came in on. Not the port,
    /// which may have been forwarded.
    var ownAddresses: [String] {
        guard let ip = channel?.localAddress?.ipAddress else { return [] }
        let lower = ip.asciiLowercased()
        let isMapped = lower.startsExactly(with: "::ffff:") && lower.containsExactly(".")
        let text = isMapped ? String(lower.dropFirst("::ffff:".count)) : lower
        let isLoopback = text.isExactly("::1") || text.startsExactly(with: "127.")
        return [text.containsExactly(":") ? "[\(text)]" : text] + (isLoopback ? ["localhost"] : [])
    }

    /// Whether the client showed a certificate that is valid now; the handshake ends if it shows one that does not verify.
    ///
    /// A session that is resumed is not verified again, and a connection may outlive what its client showed.
    func hasCertificate() async throws -> Bool {
        guard let channel else { return false }
        return try await channel.eventLoop.submit {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self) else {
                return false
            }
            guard let certificate = handler.peerCertificate else { return false }
            let now = Timestamp.now().seconds
            return Int(certificate.notValidBefore) <= now && now <= Int(certificate.notValidAfter)
        }.get()
    }
}
