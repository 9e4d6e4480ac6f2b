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
/// When the server ends it closes connections whose request or answer has come to a stand, so that they do not delay the
/// end; those that move may finish.
///
/// - Concurrency: on the connection's event loop only.
final class RequestBoundsHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// At the end, how long nothing may move.
    private static let stillness = TimeAmount.seconds(1)

    private let limit: TimeAmount
    private let maximumBody: Int
    private let table: ConnectionTable?
    private var entry: ConnectionTable.Entry?
    private var bodyLength = 0
    private var bodyBegan: NIODeadline?
    private var unwritableSince: NIODeadline?
    private var lastRead = NIODeadline.now()
    /// Requests that have begun and are not answered yet; more than one where a client does not wait for answers.
    private var unanswered = 0
    private var timer: RepeatedTask?

    /// - Parameters:
    ///   - maximumBody: In bytes; more than a route that refuses a large body throws away before it answers.
    ///   - table: Learns whether the connection waits for its client.
    init(limit: TimeAmount, maximumBody: Int, table: ConnectionTable? = nil) {
        self.limit = limit
        self.maximumBody = maximumBody
        self.table = table
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        entry = table?.enter(channel)
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
        lastRead = .now()
        switch unwrapInboundIn(data) {
        case .head:
            bodyBegan = .now()
            bodyLength = 0
            unanswered += 1
            tell(context)
        case .body(let part):
            bodyLength += part.readableBytes
            guard bodyLength <= maximumBody else {
                context.close(promise: nil)
                return
            }
        case .end:
            bodyBegan = nil
            tell(context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unanswered -= 1
            tell(context)
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritableSince = context.channel.isWritable ? nil : .now()
        tell(context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { closeOnceStill(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func closeOnceStill(_ context: ChannelHandlerContext) {
        let channel = context.channel
        let box = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = TimeAmount.milliseconds(100)
        stop()
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let now = NIODeadline.now()
            if box.value.isStill(at: now) || box.value.isTooSlow(at: now) { channel.close(promise: nil) }
        }
    }

    /// A request that is being computed has been read, and its answer is not yet in the way.
    private func isStill(at now: NIODeadline) -> Bool {
        if let since = unwritableSince, now - since > Self.stillness { return true }
        return bodyBegan != nil && now - lastRead > Self.stillness
    }

    private func tell(_ context: ChannelHandlerContext) {
        guard let entry else { return }
        // What is sent ahead of an answer does not make the answer wait for it.
        let waits = (bodyBegan != nil && unanswered <= 1) || unwritableSince != nil
        entry.become(waits ? .midway : unanswered > 0 ? .busy : .idle)
    }

    private func isTooSlow(at now: NIODeadline) -> Bool {
        [bodyBegan, unwritableSince].contains { since in since.map { now - $0 > limit } ?? false }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
        if let entry { table?.leave(entry) }
        entry = nil
    }
}
