import NIOCore
import NIOSSL
import Outbound
import SplitKeys
import TextEncodings

/// Where a request came from.
struct ClientConnection: Sendable {
    /// Nil where no connection is, as in tests that call the responder.
    var channel: (any Channel)?

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

    /// Whether the client showed a certificate; the handshake ends if it shows one that does not verify.
    func hasCertificate() async throws -> Bool {
        guard let channel else { return false }
        return try await channel.eventLoop.submit {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self) else {
                return false
            }
            return handler.peerCertificate != nil
        }.get()
    }
}
