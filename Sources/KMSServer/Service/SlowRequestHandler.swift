import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client takes too long to send a request's body or to read an answer.
///
/// Idle connections and slow headers are the server's idle timeout; this is for bodies that trickle and for answers
/// nobody reads. One timer per connection looks every few seconds, so a request costs two assignments.
///
/// - Concurrency: on the connection's event loop only.
final class SlowRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private var bodyBegan: NIODeadline?
    private var unwritableSince: NIODeadline?
    private var timer: RepeatedTask?

    init(limit: TimeAmount) { self.limit = limit }

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
        case .head: bodyBegan = .now()
        case .body: break
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
