import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import KMSConfiguration
import Logging
import NIOCore
import NIOPosix
import PrometheusMetrics
import ServiceLifecycle

/// The listener of `GET /metrics`: plain HTTP, apart from the API's, so that neither can be reached through the other.
struct MetricsServer: Service {
    let address: ListenAddress
    let metrics: ServiceMetrics
    let connections: ConnectionTable
    let logger: Logger

    func run() async throws {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        let metrics = metrics
        let channel = RESTChannel(timeout: .seconds(10), maximumBody: 0, table: connections) { request, writer, _ in
            try await writer.write(Self.answer(request, metrics), to: request)
        }
        let server = channel.server(
            configuration: ServerConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: ConnectionBound(table: connections)),
            onServerRunning: { [connections] in await connections.attach(to: $0) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        do {
            try await server.run()
        } catch let error as IOError {
            throw CommandFailure(listeningOn: "\(address)", setting: "metrics-host", error)
        }
    }

    private static func answer(_ request: Request, _ metrics: ServiceMetrics) -> Response {
        guard request.uri.path == "/metrics" else { return Responses.notFound() }
        guard request.routedMethod == .get else { return Responses.methodNotAllowed("GET") }
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.page)))
    }
}
