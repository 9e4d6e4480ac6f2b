import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// The listener: accepts connections up to a bound, reads requests within a time, and lets the responder answer.
///
/// On graceful shutdown it accepts nothing new, finishes the requests in flight and returns.
struct RESTServer: Service {
    let configuration: Configuration
    let responder: RESTResponder
    let logger: Logger
    /// Called once with the port that was bound.
    let didBind: @Sendable (Int) async -> Void

    func run() async throws {
        do {
            try await makeService().run()
        } catch let error as IOError {
            throw CommandFailure(listeningOn: "\(configuration.listen)", setting: "host", error)
        }
    }

    private func makeService() throws -> any Service {
        let responder = responder
        var serverLogger = logger
        serverLogger.logLevel = max(logger.logLevel, .warning)
        let channel = RESTChannel(
            timeout: configuration.requestTimeout, maximumBody: responder.maximumBody
        ) { request, writer, channel in
            try await Self.serve(request, writer, responder, ClientConnection(channel: channel))
        }
        let serverConfiguration = ServerConfiguration(
            address: .hostname(configuration.listen.host, port: configuration.listen.port), backlog: 1024,
            availableConnectionsDelegate: .maximum(configuration.maximumConnections, logger: serverLogger))
        let didBind = didBind
        let running: @Sendable (any Channel) async -> Void = { await didBind($0.localAddress?.port ?? 0) }
        let loops = MultiThreadedEventLoopGroup.singleton
        guard let tls = try loadTLS() else {
            return channel.server(
                configuration: serverConfiguration, onServerRunning: running, eventLoopGroup: loops,
                logger: serverLogger)
        }
        return try TLSChannel(channel, tlsConfiguration: tls).server(
            configuration: serverConfiguration, onServerRunning: running, eventLoopGroup: loops, logger: serverLogger)
    }

    private func loadTLS() throws -> TLSConfiguration? {
        try configuration.tls.map { try TLSFiles.load($0, clientAuthorities: configuration.clientAuthorities) }
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
        let closes = response.headers[.connection] == "close" || Self.asksToCloseUnusually(request)
        try await writer.write(response, to: request)
        if closes { throw ConnectionOver() }
    }

    /// A wish to close in another form than the library looks for; case does not matter, and options may be listed
    /// (RFC 9110 §7.6.1).
    private static func asksToCloseUnusually(_ request: Request) -> Bool {
        guard let options = request.headers[.connection], options != "close" else { return false }
        return options.lowercased().split(whereSeparator: { $0 == "," || $0 == " " }).contains("close")
    }

    private struct ConnectionOver: Error {}
}
