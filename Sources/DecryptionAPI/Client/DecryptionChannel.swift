import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOSSL

/// Why a call has no answer.
public struct DecryptionCallError: Error, Sendable, Equatable {
    /// Whom the message is from.
    public enum Speaker: Sendable, Equatable {
        /// The server, or the transport on the way to it.
        case server
        /// TLS on this side; its words name files of whoever built it, so they are for translation only.
        case tls
        /// Nobody was asked: certificate and key, or the authorities, cannot be used.
        case files
    }

    /// gRPC's name of the status, such as `PERMISSION_DENIED`.
    public var status: String
    /// The server's words, or the transport's.
    public var message: String
    public var speaker = Speaker.server
}

/// Asks a server of the decryption API. One connection a call: it is made for people who ask once.
public struct DecryptionChannel: Sendable {
    /// Files, PEM.
    public struct TLS: Sendable {
        /// Whom the server's certificate must come from; the system's authorities without any.
        public var authorities: [String]
        public var certificate: String?
        public var key: String?

        public init(authorities: [String], certificate: String?, key: String?) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
        }
    }

    /// Of one message, sent or received.
    public static let longestMessage = 100 << 20

    private let host: String
    private let port: Int
    private let tls: TLS?
    /// Of one call.
    public let timeout: Duration

    /// - Parameters:
    ///   - host: A name or an address, IPv6 without brackets.
    ///   - tls: Nil for plain HTTP/2.
    public init(host: String, port: Int, tls: TLS?, timeout: Duration) {
        self.host = host
        self.port = port
        self.tls = tls
        self.timeout = timeout
    }

    public func call(
        _ service: String, _ method: String, _ request: [UInt8]
    ) async throws(DecryptionCallError) -> [UInt8] {
        let transport: HTTP2ClientTransport.Posix
        do {
            transport = try HTTP2ClientTransport.Posix(
                target: target, transportSecurity: security, config: configuration)
        } catch {
            throw DecryptionCallError(
                status: "FAILED_PRECONDITION", message: "the connection cannot be prepared",
                speaker: tls == nil ? .server : .files)
        }
        do {
            var options = CallOptions.defaults
            options.timeout = timeout
            options.waitForReady = false
            options.maxRequestMessageBytes = Self.longestMessage
            options.maxResponseMessageBytes = Self.longestMessage
            let settings = options
            return try await withGRPCClient(transport: transport) { client in
                try await client.unary(
                    request: ClientRequest(message: request),
                    descriptor: MethodDescriptor(fullyQualifiedService: service, method: method),
                    serializer: PlainSerializer(), deserializer: PlainDeserializer(), options: settings
                ) { try $0.message }
            }
        } catch let error as RPCError {
            // The transport says of each of them that the server closed the connection.
            if let cause = error.cause, cause is NIOSSLError || cause is BoringSSLError || cause is NIOSSLExtraError {
                throw DecryptionCallError(status: Self.name(error.code), message: "\(cause)", speaker: .tls)
            }
            throw DecryptionCallError(status: Self.name(error.code), message: error.message)
        } catch {
            throw DecryptionCallError(status: "UNAVAILABLE", message: "the connection cannot be made: \(error)")
        }
    }

    /// As gRPC's documents write it: `PERMISSION_DENIED`.
    private static func name(_ code: RPCError.Code) -> String {
        var name: [UInt8] = []
        for byte in "\(code)".utf8 {
            if UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte {
                name += [UInt8(ascii: "_"), byte]
            } else {
                name.append(byte & ~0x20)
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    private var isAddress: Bool {
        host.utf8.contains(UInt8(ascii: ":"))
            || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 &- UInt8(ascii: "0") < 10 }
    }

    private var configuration: HTTP2ClientTransport.Posix.Config {
        .defaults { [host, isNamed = tls != nil && !isAddress] settings in
            guard isNamed else { return }
            settings.channelDebuggingCallbacks.onCreateTCPConnection = { ServerNameHandler.add(to: $0, name: host) }
        }
    }

    private var target: any ResolvableTarget {
        if host.utf8.contains(UInt8(ascii: ":")) { return .ipv6(address: host, port: port) }
        return isAddress ? .ipv4(address: host, port: port) : .dns(host: host, port: port)
    }

    private var security: HTTP2ClientTransport.Posix.TransportSecurity {
        guard let tls else { return .plaintext }
        let roots: TLSConfig.TrustRootsSource =
            tls.authorities.isEmpty
            ? .systemDefault : .certificates(tls.authorities.map { .file(path: $0, format: .pem) })
        guard let certificate = tls.certificate, let key = tls.key else { return .tls { $0.trustRoots = roots } }
        return .mTLS(
            certificateChain: [.file(path: certificate, format: .pem)], privateKey: .file(path: key, format: .pem)
        ) { $0.trustRoots = roots }
    }
}

/// Messages are written and read elsewhere.
private struct PlainSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
}

private struct PlainDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}
