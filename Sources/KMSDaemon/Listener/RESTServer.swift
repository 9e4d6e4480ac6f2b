import Encodings
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import KMSConfiguration
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The listener: accepts connections up to a bound and makes room for new ones, reads requests within a time, and lets the responder answer.
///
/// On graceful shutdown it accepts nothing new, finishes the requests in flight and returns. Those that take longer than
/// most of `shutdown-timeout` are cut off; the rest of the time is for what ends after it.
struct RESTServer: Service {
    let configuration: Configuration
    let responder: RESTResponder
    let connections: ConnectionTable
    let logger: Logger
    /// Nil for plain HTTP.
    let certificates: ListenerCertificates?
    /// Called once with the port that was bound.
    let didBind: @Sendable (Int) async -> Void

    func run() async throws {
        let service = try makeService()
        do {
            let drain = configuration.shutdownTimeout * 0.7
            let isDone = try await BoundedEnd.run(drain) { try await service.run() }
            if !isDone { logger.warning("requests that took too long were cut off by the end") }
        } catch let error as IOError {
            throw CommandFailure(listeningOn: "\(configuration.listen)", setting: "host", error)
        }
    }

    private func makeService() throws -> any Service {
        let responder = responder
        var serverLogger = logger
        serverLogger.logLevel = max(logger.logLevel, .warning)
        let channel = RESTChannel(
            timeout: configuration.requestTimeout, maximumBody: responder.maximumBody, table: connections
        ) { request, writer, channel in
            try await Self.serve(request, writer, responder, ClientConnection(channel: channel))
        }
        let serverConfiguration = ServerConfiguration(
            address: .hostname(configuration.listen.host, port: configuration.listen.port), backlog: 1024,
            availableConnectionsDelegate: ConnectionBound(table: connections))
        let (didBind, connections) = (didBind, connections)
        let running: @Sendable (any Channel) async -> Void = { listener in
            await connections.attach(to: listener)
            await didBind(listener.localAddress?.port ?? 0)
        }
        let loops = MultiThreadedEventLoopGroup.singleton
        guard let certificates else {
            return channel.server(
                configuration: serverConfiguration, onServerRunning: running, eventLoopGroup: loops,
                logger: serverLogger)
        }
        return RenewingTLSChannel(base: channel, certificates: certificates).server(
            configuration: serverConfiguration, onServerRunning: running, eventLoopGroup: loops, logger: serverLogger)
    }

    /// One request. Throwing closes the connection.
    private static func serve(
        _ request: Request, _ writer: consuming ResponseWriter, _ responder: RESTResponder,
        _ connection: ClientConnection
    ) async throws {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        if request.headers[.expect] != nil, announced <= responder.maximumBody {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        var response = await responder.answer(request, connection)
        response.headers[.date] = Timestamp.httpNow()
        let closes = response.headers[.connection] == "close"
        try await writer.write(response, to: request)
        if closes { throw ConnectionOver() }
    }

    private struct ConnectionOver: Error {}
}
