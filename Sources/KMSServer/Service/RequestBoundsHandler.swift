import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client takes too long to send a request's body or to read an answer, or sends a body without
/// end.
///
/// Idle connections and slow headers are the server's idle timeout; this is for bodies that trickle, for answers nobody
/// reads, and for bodies that no route reads: behind an answer that did not need the body, its rest would be taken in and
/// thrown away whatever its size. One timer per connection looks every few seconds, so a request costs a few assignments.
///
/// - Concurrency: on the connection's event loop only.
final class RequestBoundsHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let maximumBody: Int
    private var bodyLength = 0
    private var bodyBegan: NIODeadline?
    private var unwritableSince: NIODeadline?
    private var timer: RepeatedTask?

    /// - Parameter maximumBody: In bytes; more than a route that refuses a large body throws away before it answers.
    init(limit: TimeAmount, maximumBody: Int) {
        self.limit = limit
        self.maximumBody = maximumBody
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let box = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = TimeAmount.nanoseconds(max(limit.nanoseconds / 4, 250_000_000))
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            if box.value.isTooSlow(at: .now()) { channel.close(promise: nil) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            bodyBegan = .now()
            bodyLength = 0
        case .body(let part):
            bodyLength += part.readableBytes
            guard bodyLength <= maximumBody else {
                context.close(promise: nil)
                return
            }
        case .end: bodyBegan = nil
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritableSince = context.channel.isWritable ? nil : .now()
        context.fireChannelWritabilityChanged()
    }

    private func isTooSlow(at now: NIODeadline) -> Bool {
        [bodyBegan, unwritableSince].contains { since in since.map { now - $0 > limit } ?? false }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
