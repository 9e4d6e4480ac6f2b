public import Decryption
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// The gRPC front of the decryption API.
public struct DecryptionServer: Sendable {
    /// Files of the listener, PEM.
    public struct TLS: Sendable {
        public var certificate: String
        public var key: String
        /// Authorities of clients' certificates; with any, a client must show one.
        public var clientAuthorities: [String]

        public init(certificate: String, key: String, clientAuthorities: [String]) {
            self.certificate = certificate
            self.key = key
            self.clientAuthorities = clientAuthorities
        }
    }

    public struct Configuration: Sendable {
        public var host: String
        public var port: Int
        /// Nil for plain HTTP/2.
        public var tls: TLS?
        public var generation: Generation
        /// Whether failures have the original's status.
        public var hasCompatibleStatuses: Bool
        /// Bytes of one message.
        public var maximumMessage: Int
        /// Questions at once on one connection.
        public var maximumStreams = 100

        public init(
            host: String, port: Int, tls: TLS?, generation: Generation, hasCompatibleStatuses: Bool,
            maximumMessage: Int
        ) {
            self.host = host
            self.port = port
            self.tls = tls
            self.generation = generation
            self.hasCompatibleStatuses = hasCompatibleStatuses
            self.maximumMessage = maximumMessage
        }
    }

    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let transport: HTTP2ServerTransport.Posix
    private static let slack = 1 << 20

    public init(
        _ configuration: Configuration, service: DecryptionService, attesting: (any KeyAttesting)? = nil
    ) {
        transport = HTTP2ServerTransport.Posix(
            address: configuration.host.utf8.contains(UInt8(ascii: ":"))
                ? .ipv6(host: configuration.host, port: configuration.port)
                : .ipv4(
                    host: configuration.host == "localhost" ? "127.0.0.1" : configuration.host,
                    port: configuration.port),
            transportSecurity: Self.security(configuration.tls),
            config: .defaults {
                // Beyond this the transport ends the stream without a status.
                $0.rpc.maxRequestPayloadSize = configuration.maximumMessage + Self.slack
                $0.http2.maxConcurrentStreams = configuration.maximumStreams
                $0.compression.enabledAlgorithms = [.gzip]
                $0.connection.maxIdleTime = .seconds(900)
                $0.connection.keepalive.time = .seconds(120)
            })
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        let front = Front(
            service: service, attesting: attesting,
            statuses: Statuses(isCompatible: configuration.hasCompatibleStatuses),
            maximumMessage: configuration.maximumMessage)
        switch configuration.generation {
        case .ga: EarlyGeneration(front: front).register(&router)
        case .gb: LateGeneration(front: front).register(&router)
        case .gn: NodeGeneration(front: front).register(&router)
        }
        OwnService(front: front).register(&router)
        HealthService(services: [EarlyGeneration.name, OwnService.name]) {
            guard case .success = await service.headers.latest() else { return false }
            return (try? await service.signer.key()) != nil
        }.register(&router)
        ReflectionService(files: Self.files(configuration.generation)).register(&router)
        server = GRPCServer(transport: transport, router: router)
    }

    /// Serves until ``stop()`` or the end of the task.
    public func run() async throws { try await server.serve() }

    /// Finishes what is under way and takes nothing new.
    public func stop() { server.beginGracefulShutdown() }

    /// The port that is listened on, once it is.
    public var port: Int {
        get async throws {
            let address = try await transport.listeningAddress
            return address.ipv4?.port ?? address.ipv6?.port ?? 0
        }
    }

    private static func security(_ tls: TLS?) -> HTTP2ServerTransport.Posix.TransportSecurity {
        guard let tls else { return .plaintext }
        let chain: [TLSConfig.CertificateSource] = [.file(path: tls.certificate, format: .pem)]
        let key: TLSConfig.PrivateKeySource = .file(path: tls.key, format: .pem)
        guard !tls.clientAuthorities.isEmpty else {
            return .tls(certificateChain: chain, privateKey: key) { $0.requireALPN = true }
        }
        return .mTLS(certificateChain: chain, privateKey: key) {
            $0.requireALPN = true
            $0.trustRoots = .certificates(tls.clientAuthorities.map { .file(path: $0, format: .pem) })
        }
    }

    private static func files(_ generation: Generation) -> [ReflectionService.File] {
        [
            {
                switch generation {
                case .ga:
                    ReflectionService.File(
                        "ga.proto", package: "kms", services: [EarlyGeneration.name], base64: ProtoDescriptors.ga)
                case .gb:
                    ReflectionService.File(
                        "gb.proto", package: "kms", services: [LateGeneration.name], base64: ProtoDescriptors.gb)
                case .gn:
                    ReflectionService.File(
                        "gn.proto", package: "kms", services: [NodeGeneration.name], base64: ProtoDescriptors.gn)
                }
            }(),
            ReflectionService.File(
                "decryption.proto", package: "kmsd.decryption.v1", services: [OwnService.name],
                base64: ProtoDescriptors.decryption),
            ReflectionService.File(
                "health.proto", package: "grpc.health.v1", services: [HealthService.name],
                base64: ProtoDescriptors.health),
        ]
    }
}
