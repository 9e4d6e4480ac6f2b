import Encodings
import NIOCore
import NIOSSL
import NIOTLS

/// Ends a connection whose server has no certificate for the name that it was called by.
///
/// The library also accepts a certificate for the address that the name led to, which whoever answers a look-up chooses, and one
/// that has the name in its subject only.
final class ServerNameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let name: String

    private init(name: String) { self.name = name }

    /// Puts it behind TLS, so that it speaks before anything that is sent or received.
    ///
    /// - Parameter name: Without a dot at its end.
    static func add(to channel: any Channel, name: String) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let tls = try pipeline.handler(type: NIOSSLClientHandler.self)
            try pipeline.addHandler(ServerNameHandler(name: name), position: .after(tls))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent,
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate(), !isFor(certificate)
        {
            context.fireErrorCaught(NIOSSLExtraError.failedToValidateHostname)
            context.close(promise: nil)
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// A subject does not count (RFC 9525, section 2).
    private func isFor(_ certificate: NIOSSLCertificate) -> Bool {
        certificate._subjectAlternativeNames()
            .contains { $0.nameType == .dnsName && ServerNamePattern($0.contents).fits(name) }
    }
}
