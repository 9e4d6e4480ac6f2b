public import Decryption
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
public import NIOSSL

/// The gRPC front of the decryption API.
public struct DecryptionServer: Sendable {
    public struct Configuration: Sendable {
        public var host: String
        public var port: Int
        /// What the next connection shows and whom it believes; nil for plain HTTP/2.
        public var tls: (@Sendable () -> NIOSSLContext)?
        public var generation: Generation
        /// Whether failures have the original's status.
        public var hasCompatibleStatuses: Bool
        public var limits: FrontLimits
        /// Nil: nobody looks after the connections.
        public var keeper: (any ConnectionKeeping)?

        public init(
            host: String, port: Int, generation: Generation, hasCompatibleStatuses: Bool, limits: FrontLimits
        ) {
            self.host = host
            self.port = port
            self.generation = generation
            self.hasCompatibleStatuses = hasCompatibleStatuses
            self.limits = limits
        }
    }

    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let transport: HTTP2ServerTransport.Posix
    private static let slack = 1 << 20
    /// Bytes that a client may send of one question before it waits for us: a u64 at once, where HTTP/2's own 64 kB would have
    /// it wait eight times. What arrives is counted before it is read (``FrontLimits/bytes``).
    private static let window = 1 << 20
    /// Of one frame, for clients that make use of it: each one costs the same, however long.
    private static let frame = 1 << 16
    /// Without a question.
    private static let idle = Duration.seconds(300)
    /// Without a frame, until the client is asked whether it is still there, and for its answer.
    private static let keepalive = Duration.seconds(60)
    private static let keepaliveAnswer = Duration.seconds(20)

    public init(
        _ configuration: Configuration, service: DecryptionService, attesting: (any KeyAttesting)? = nil,
        meters: FrontMeters = FrontMeters()
    ) {
        let statuses = Statuses(isCompatible: configuration.hasCompatibleStatuses)
        let router = Self.router(configuration, statuses, service, attesting)
        let bounds = FrontBounds(
            configuration.limits, meters: meters, statuses: statuses, service: service, methods: router.methods,
            keeper: configuration.keeper)
        meters.attach(bounds.use)
        transport = HTTP2ServerTransport.Posix(
            address: configuration.host.utf8.contains(UInt8(ascii: ":"))
                ? .ipv6(host: configuration.host, port: configuration.port)
                : .ipv4(
                    host: configuration.host == "localhost" ? "127.0.0.1" : configuration.host,
                    port: configuration.port),
            // TLS is put before each connection below, with the certificates of that moment.
            transportSecurity: .plaintext,
            config: .defaults {
                // What is longer is refused before it gets there.
                $0.rpc.maxRequestPayloadSize = configuration.limits.message + Self.slack
                $0.http2.maxConcurrentStreams = configuration.limits.streamsPerConnection
                $0.http2.targetWindowSize = Self.window
                $0.http2.maxFrameSize = Self.frame
                $0.compression.enabledAlgorithms = [.gzip]
                $0.connection.maxIdleTime = Self.idle
                $0.connection.maxGraceTime = configuration.limits.patience
                $0.connection.keepalive.time = Self.keepalive
                $0.connection.keepalive.timeout = Self.keepaliveAnswer
                $0.channelDebuggingCallbacks = Self.callbacks(bounds, configuration.tls)
            })
        server = GRPCServer(transport: transport, router: router)
    }

    /// Where each connection and each question gets its bounds.
    private static func callbacks(
        _ bounds: FrontBounds, _ tls: (@Sendable () -> NIOSSLContext)?
    ) -> HTTP2ServerTransport.Config.ChannelDebuggingCallbacks {
        let keeper = bounds.keeper
        return HTTP2ServerTransport.Config.ChannelDebuggingCallbacks(
            onBindTCPListener: { listener in
                keeper?.keep(listener: listener) ?? listener.eventLoop.makeSucceededVoidFuture()
            },
            onAcceptTCPConnection: { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        ConnectionBoundsHandler(bounds, address: channel.remoteAddress), position: .first)
                    guard let tls else { return }
                    try pipeline.addHandler(NIOSSLServerHandler(context: tls()), position: .first)
                }
            },
            onAcceptHTTP2Stream: { stream in
                stream.eventLoop.makeCompletedFuture {
                    guard let connection = stream.parent else { throw ChannelError.inappropriateOperationForState }
                    let handler = try connection.pipeline.syncOperations.handler(type: ConnectionBoundsHandler.self)
                    try stream.pipeline.syncOperations.addHandler(StreamBoundsHandler(handler), position: .first)
                }
            })
    }

    private static func router(
        _ configuration: Configuration, _ statuses: Statuses, _ service: DecryptionService,
        _ attesting: (any KeyAttesting)?
    ) -> RPCRouter<HTTP2ServerTransport.Posix> {
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        let front = Front(
            service: service, attesting: attesting, statuses: statuses, maximumMessage: configuration.limits.message)
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
        ReflectionService(files: files(configuration.generation)).register(&router)
        return router
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
