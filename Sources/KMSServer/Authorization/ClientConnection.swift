import NIOCore
import NIOSSL

/// Where a request came from.
struct ClientConnection: Sendable {
    /// Nil where no connection is, as in tests that call the responder.
    var channel: (any Channel)?

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
