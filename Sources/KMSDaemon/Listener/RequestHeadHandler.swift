import Encodings
import HTTPAPI
import NIOCore
import NIOHTTP1

/// Applies ``RequestHeadRules`` to what arrives on a connection, and tells each client what becomes of the connection.
///
/// It stands below the conversion to the types of the layers above, where the version of a request and its repeated
/// fields can still be seen. A head that is refused is answered here, after the answers to the requests before it; then
/// the connection is closed.
///
/// - Concurrency: on the connection's event loop only.
final class RequestHeadHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Given to a client to read its refusal and close.
    private static let patience = TimeAmount.seconds(2)

    /// Of the requests that are not answered yet, oldest first.
    private var unanswered: [RequestHeadRules.Persistence] = []
    private var refusal: RequestHeadRules.Refusal?
    private var refusesHead = false
    /// Whether the request being read is the last of the connection.
    private var isLast = false
    private var takesNoMore = false
    private var isInBody = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !takesNoMore else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            do throws(RequestHeadRules.Refusal) {
                let persistence = try RequestHeadRules.apply(to: &head)
                unanswered.append(persistence)
                isLast = persistence == .closes
                isInBody = true
                context.fireChannelRead(wrapInboundOut(.head(head)))
            } catch {
                refuse(context, error, isHead: head.method == .HEAD)
            }
        case .body: context.fireChannelRead(data)
        case .end:
            takesNoMore = isLast
            isInBody = false
            context.fireChannelRead(data)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !takesNoMore else { return }
        // In the middle of a body the error is for who reads it.
        guard let error = error as? HTTPParserError, !isInBody else {
            context.fireErrorCaught(error)
            return
        }
        let refusal =
            switch error {
            case .invalidVersion: RequestHeadRules.unknownVersion
            case .headerOverflow: RequestHeadRules.Refusal(status: 431, message: "the request's head is too large")
            default: RequestHeadRules.Refusal(status: 400, message: "the request is not well-formed HTTP")
            }
        refuse(context, refusal, isHead: false)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where !head.status.isInformational:
            switch unanswered.first {
            case .closes: head.headers.replaceOrAdd(name: "Connection", value: "close")
            case .staysAsGranted where !head.headers.contains(name: "connection"):
                head.headers.add(name: "Connection", value: "keep-alive")
            default: break
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            if !unanswered.isEmpty { unanswered.removeFirst() }
            context.write(data, promise: promise)
            if unanswered.isEmpty { answerRefusal(context) }
        default: context.write(data, promise: promise)
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: RequestHeadRules.Refusal, isHead: Bool) {
        takesNoMore = true
        refusesHead = isHead
        self.refusal = refusal
        if unanswered.isEmpty { answerRefusal(context) }
    }

    private func answerRefusal(_ context: ChannelHandlerContext) {
        guard let refusal else { return }
        self.refusal = nil
        let body = Responses.errorBody(refusal.message)
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: refusal.status),
            headers: [
                "Content-Type": "application/json", "Content-Length": "\(body.readableBytes)", "Connection": "close",
                "Date": Timestamp.httpNow(),
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !refusesHead { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        // What is still on its way must not reset the connection before the refusal is read.
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}

extension HTTPResponseStatus {
    fileprivate var isInformational: Bool { (100..<200).contains(code) }
}
