import Decryption
import Encodings
import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Bounds one question: whether it may begin, how long its messages are, how long it may take to arrive and its answer to be
/// taken; and measures it. It stands before everything else, so what is refused here costs no more than its bytes.
///
/// - Concurrency: on the connection's event loop only.
final class StreamBoundsHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// How long and how much of a refused question is still taken in, so that its client reads the refusal first.
    private static let farewell = TimeAmount.seconds(5)
    private static let tolerated = 64 << 10

    private let connection: ConnectionBoundsHandler
    private var bounds: FrontBounds { connection.bounds }
    private let start = ContinuousClock.now
    private var method = FrontMethod()
    private var framing = MessageFraming()
    /// Taken of all that may be on the way.
    private var bytes = 0
    private var drained = 0
    private var isBegun = false
    /// Whether it counts among the questions under way.
    private var isOpen = false
    private var isWaiting = false
    private var isRefused = false
    private var isOver = false
    private var hasBodyEnded = false
    private var hasHead = false
    private var status: Int?
    private var timer: Scheduled<Void>?

    private struct Refused: Error {}

    init(_ connection: ConnectionBoundsHandler) { self.connection = connection }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let head):
            if !isBegun { begin(context, head.headers) }
            if head.endStream { bodyEnded(context) }
        case .data(let part):
            if case .byteBuffer(let buffer) = part.data { take(context, buffer) }
            if part.endStream { bodyEnded(context) }
        default: break
        }
        if !isRefused { context.fireChannelRead(data) }
    }

    private func begin(_ context: ChannelHandlerContext, _ head: HPACKHeaders) {
        isBegun = true
        bounds.meters.began()
        if let path = head.first(name: ":path"), let known = bounds.methods[ExactText(path)] { method = known }
        wait(context, bounds.patience)
        if let reason = bounds.use.open(connection.block, isWatch: method.isWatch) {
            return refuse(context, reason)
        }
        isOpen = true
        isWaiting = true
        connection.change(questions: 1, waiting: 1)
        guard bounds.service.admits(connection.name, cost: method.cost, operation: method.operation) else {
            return refuse(context, .rate)
        }
    }

    private func take(_ context: ChannelHandlerContext, _ buffer: ByteBuffer) {
        var count = buffer.readableBytes
        guard !isRefused else {
            drained += count
            if drained > Self.tolerated { reset(context, .noError) }
            return
        }
        for head in framing.read(buffer) {
            guard head.length <= bounds.limits.message else { return refuse(context, .length) }
            // What it is when it is unpacked is not known before.
            if head.isCompressed { count += bounds.limits.message }
        }
        // A question is one message, or some short ones.
        guard bytes + count <= 2 * bounds.limits.message + Self.tolerated else { return refuse(context, .length) }
        if let reason = bounds.use.take(count, connection.block) { return refuse(context, reason) }
        bytes += count
    }

    private func bodyEnded(_ context: ChannelHandlerContext) {
        hasBodyEnded = true
        if status == nil { timer?.cancel() }
        tell()
    }

    // MARK: What goes out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isRefused else {
            promise?.fail(Refused())
            return
        }
        if case .headers(let head) = unwrapOutboundIn(data) {
            hasHead = true
            if head.endStream { answered(context, Int(head.headers.first(name: "grpc-status") ?? "") ?? 2) }
        }
        context.write(data, promise: promise)
    }

    private func answered(_ context: ChannelHandlerContext, _ number: Int) {
        status = number
        wait(context, bounds.patience)
        tell()
    }

    private func refuse(_ context: ChannelHandlerContext, _ reason: FrontRefusal) {
        guard !isRefused, status == nil else { return }
        isRefused = true
        bounds.meters.refused(reason)
        let error = bounds.error(reason)
        var head: HPACKHeaders = hasHead ? [:] : [":status": "200", "content-type": "application/grpc"]
        head.add(name: "grpc-status", value: "\(error.code.rawValue)")
        head.add(name: "grpc-message", value: error.message)
        status = error.code.rawValue
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: head, endStream: true))), promise: nil)
        tell()
        switch reason {
        // The room is wanted now.
        case .bytes, .bytesOfCaller: reset(context, .noError)
        default: wait(context, Self.farewell)
        }
    }

    private func reset(_ context: ChannelHandlerContext, _ code: HTTP2ErrorCode) {
        guard !isOver else { return }
        context.writeAndFlush(wrapOutboundOut(.rstStream(code)), promise: nil)
        context.close(promise: nil)
    }

    // MARK: Time

    private func wait(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        timer?.cancel()
        let box = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: time) {
            let (handler, context) = box.value
            handler.expired(context)
        }
    }

    private func expired(_ context: ChannelHandlerContext) {
        guard !isOver else { return }
        if status == nil { return refuse(context, .slowBody) }
        if !isRefused, hasBodyEnded { bounds.meters.refused(.slowReader) }
        reset(context, hasBodyEnded ? .cancel : .noError)
    }

    private func tell() {
        guard isOpen, !isOver else { return }
        let waits = !hasBodyEnded || status != nil || method.isWatch
        if waits != isWaiting { connection.change(questions: 0, waiting: waits ? 1 : -1) }
        isWaiting = waits
    }

    // MARK: The end

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        guard isBegun else { return }
        // Without a status its client has gone.
        bounds.meters.ended(method.name, status: status ?? 1, since: start)
        guard isOpen else { return }
        connection.change(questions: -1, waiting: isWaiting ? -1 : 0)
        bounds.use.close(connection.block, isWatch: method.isWatch, bytes: bytes)
    }
}
