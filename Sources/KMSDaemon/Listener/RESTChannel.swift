import HTTPAPI
import HTTPTypes
import Hummingbird
package import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

/// One HTTP/1.1 connection: bounded headers, bounded time for each request, and handled on the connection's own event
/// loop, so that a request whose key is open changes no thread.
struct RESTChannel: ServerChildChannel, HTTPChannelHandler {
    private let channel: HTTP1Channel

    var responder: HTTPChannelHandler.Responder { channel.responder }

    /// Twice what a refused body may have beyond its limit before the refusal is written, so that this comes later.
    private static let tolerated = 2 * Request.discarded

    /// - Parameters:
    ///   - maximumBody: In bytes, of a request.
    ///   - table: Learns of the connection and what it waits for.
    init(
        timeout: Duration, maximumBody: Int, table: ConnectionTable,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        let seconds = max(1, timeout.components.seconds)
        channel = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [
                    RequestBoundsHandler(
                        limit: .seconds(seconds), maximumBody: maximumBody + Self.tolerated, table: table)
                ],
                idleTimeout: .seconds(seconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        self.channel.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(
                RequestHeadHandler(), position: .before(try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await channel.handleHTTP(asyncChannel: value, logger: logger)
        }
    }
}

extension ResponseWriter {
    /// An answer to HEAD ends with its head (RFC 9112 §6.3): a body would be taken for the next answer.
    package consuming func write(_ response: Response, to request: Request) async throws {
        try await write(response: response.head, body: request.method == .head ? ResponseBody() : response.body)
    }
}

/// Runs a connection's task on its event loop.
///
/// Blocking calls never run here: the token has threads of its own, the database too.
private final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        eventLoop.execute { job.runSynchronously(on: executor) }
    }
}
