import Encodings
import NIOCore
import NIOSSL

/// Whether a server's certificate is for the name that it was called by, asked beside the library's own check.
///
/// The library also accepts a certificate for the address that the name led to. Whoever answers a look-up chooses the
/// address, and may well have a certificate for it: it must not stand for the name.
enum ServerIdentity {
    /// Asks it of a connection whose certificate was verified.
    ///
    /// - Parameter name: Without a dot at its end.
    /// - Returns: Fails with `.certificateRefused`, and closes the connection, before anything was sent. Without TLS there is
    ///   nothing to ask.
    static func check(_ channel: any Channel, isFor name: String) -> EventLoopFuture<Void> {
        channel.nioSSL_peerCertificate().flatMapErrorThrowing { error in
            guard error is ChannelPipelineError else { throw error }
            return nil
        }.flatMapThrowing { certificate in
            if let certificate, !isFor(name, certificate) {
                throw hasNames(certificate) ? refused : refusedWithoutNames
            }
        }.flatMapErrorThrowing { error in
            channel.close(promise: nil)
            throw error
        }
    }

    static let refused = OutboundError(
        .certificateRefused, "the server's certificate is for another name than the one it was called by")

    static let refusedWithoutNames = OutboundError(
        .certificateRefused,
        "the server's certificate names its server in its subject only, which does not count; have one issued with the name as "
            + "subjectAltName")

    /// The library compares the subject of one without alternative names. Its words are whoever's it was issued to, of any
    /// kind (RFC 9525, section 2).
    private static func isFor(_ name: String, _ certificate: NIOSSLCertificate) -> Bool {
        certificate._subjectAlternativeNames()
            .contains { $0.nameType == .dnsName && ServerNamePattern($0.contents).fits(name) }
    }

    private static func hasNames(_ certificate: NIOSSLCertificate) -> Bool {
        !certificate._subjectAlternativeNames().isEmpty
    }
}
