import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why an exchange failed, in words for people: the libraries' own name files of whoever built them.
enum OutboundFailure {
    /// - Parameter maximumAnswer: Named if an answer was longer.
    static func translated(_ error: any Error, maximumAnswer: Int) -> OutboundError {
        switch error {
        case let error as OutboundError: return error
        case is NIOTooManyBytesError:
            return OutboundError(.answerRefused, "the answer is longer than \(maximumAnswer) bytes")
        case is HTTPParserError:
            return OutboundError(.answerRefused, "the answer is no HTTP; is it a server of https://?")
        case is CancellationError: return OutboundError(.unreachable, "the server did not answer in time")
        case let error as HTTPClientError: return client(error)
        case let error as IOError: return OutboundError(.notConnected, "the server cannot be reached: \(system(error))")
        case let error as NIOConnectionError:
            let reason = (error.connectionErrors.first?.error as? IOError).map(system) ?? "no connection"
            return OutboundError(.notConnected, "the server cannot be reached: \(reason)")
        case is ChannelError: return OutboundError(.unreachable, "the connection to the server broke")
        case let error as NIOSSLError: return tls("\(error)")
        case let error as BoringSSLError: return tls("\(error)")
        case is NIOSSLExtraError:
            return OutboundError(
                .certificateRefused, "the server's certificate is for another name than the one it was called by")
        default: return OutboundError(.unreachable, "the exchange with the server failed (\(type(of: error)))")
        }
    }

    private static func client(_ error: HTTPClientError) -> OutboundError {
        switch error {
        case .cancelled, .deadlineExceeded, .readTimeout, .writeTimeout, .requestStreamCancelled:
            OutboundError(.unreachable, "the server did not answer in time")
        case .connectTimeout, .getConnectionFromPoolTimeout:
            OutboundError(.notConnected, "the server was not reached in time")
        case .tlsHandshakeTimeout:
            OutboundError(.unreachable, "the server did not begin TLS in time; is it one of http://?")
        case .remoteConnectionClosed, .uncleanShutdown:
            OutboundError(
                .unreachable, "the server closed the connection without an answer; does it expect https:// instead?")
        default: OutboundError(.unreachable, "the exchange with the server failed: \(error.shortDescription)")
        }
    }

    private static func system(_ error: IOError) -> String { String(cString: strerror(error.errnoCode)) }

    /// By the reasons that BoringSSL gives (`openssl/err.h`); its texts hold the place in its source, so none is shown.
    static func tls(_ text: String) -> OutboundError {
        func names(_ reasons: String...) -> Bool { reasons.contains { text.contains($0) } }
        if names("CERTIFICATE_VERIFY_FAILED", "unableToValidateCertificate") {
            return OutboundError(
                .certificateRefused,
                "the server's certificate is not accepted: no authority that is trusted here vouches for it, or it has "
                    + "expired, is not valid yet or is not one for servers")
        }
        if names("failedToValidateHostname", "HOSTNAME_MISMATCH", "cannotMatchULabel") {
            return OutboundError(
                .certificateRefused, "the server's certificate is for another name than the one it was called by")
        }
        if names("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNEXPECTED_") {
            return OutboundError(.unreachable, "the server does not speak TLS there; is it one of http://?")
        }
        if names("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE_ON_CLIENT_HELLO") {
            return OutboundError(.unreachable, "the server refuses this client's TLS; it may want a client certificate")
        }
        if names("ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_UNSUPPORTED_CERTIFICATE") {
            return OutboundError(
                .unreachable,
                "the server refuses this client's certificate; see whether it is valid now, and one for clients")
        }
        if names("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_SHARED_CIPHER", "HANDSHAKE_FAILURE") {
            return OutboundError(
                .unreachable, "the server has no version or cipher of TLS in common; TLS 1.2 is needed")
        }
        return OutboundError(.unreachable, "TLS with the server failed; it may have closed the connection")
    }
}

extension OutboundError.Code {
    /// No connection was made to one address; becomes `unreachable` when no address is left.
    static let notConnected = OutboundError.Code(rawValue: "not-connected")
}

extension OutboundError {
    /// Why TLS of another client than ``OutboundClient`` failed.
    ///
    /// - Parameter text: What the library says of its error.
    package init(tls text: String) { self = OutboundFailure.tls(text) }
}
