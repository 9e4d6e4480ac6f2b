import Decryption
import Encodings
import Glibc
import NIOCore
import NIOSSL
import NIOTLS
import SwiftASN1
import X509

/// Bounds one connection of the front: how many its caller has, how long it may say nothing, how long it may leave answers
/// unread. Tells what it waits for, so that it can be closed for another.
///
/// - Concurrency: on the connection's event loop only.
final class ConnectionBoundsHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What HTTP/2 clients send first; whoever sent less has said nothing.
    private static let preface = 24
    /// At the end, how long those may take who are waited for.
    private static let stillness = TimeAmount.seconds(1)
    /// Seconds after which a connection is closed whatever its client's certificate says.
    private static let longest: Int64 = 366 * 86_400

    let bounds: FrontBounds
    /// Where it comes from.
    let block: CallerBlock
    /// Whose it is: the subject of his certificate, or where he comes from.
    private(set) var name: String
    private var isAllowed = true
    private var isCounted = false
    private var kept: (any KeptConnection)?
    private var questions = 0
    private var waiting = 0
    private var unheard = ConnectionBoundsHandler.preface
    private var silence: Scheduled<Void>?
    private var reader: Scheduled<Void>?
    private var ending: RepeatedTask?
    private var expiry: Scheduled<Void>?

    init(_ bounds: FrontBounds, address: SocketAddress?) {
        self.bounds = bounds
        block = CallerBlock(address: Self.bytes(address))
        name = block.text
    }

    private static func bytes(_ address: SocketAddress?) -> [UInt8] {
        guard let text = address?.ipAddress else { return [] }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : []
    }

    // MARK: What its questions tell

    /// - Parameters:
    ///   - questions: How many more there are.
    ///   - waiting: How many more of them wait for the client.
    func change(questions: Int, waiting: Int) {
        self.questions += questions
        self.waiting += waiting
        kept?.become(questions: self.questions, waiting: self.waiting)
    }

    // MARK: The connection's life

    func handlerAdded(context: ChannelHandlerContext) {
        isAllowed = bounds.use.connect(block)
        isCounted = true
        kept = isAllowed ? bounds.keeper?.enter(context.channel) : nil
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        guard isAllowed else {
            bounds.meters.refused(.connectionsOfCaller)
            return context.close(promise: nil)
        }
        silence = after(bounds.patience, context) { handler, channel in
            handler.bounds.meters.refused(.silence)
            channel.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if unheard > 0 {
            unheard -= unwrapInboundIn(data).readableBytes
            if unheard <= 0 { silence?.cancel() }
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        reader?.cancel()
        if !context.channel.isWritable {
            reader = after(bounds.patience, context) { handler, channel in
                handler.bounds.meters.refused(.slowReader)
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            // Whoever does not say that it speaks HTTP/2 might take the answer for something else.
            guard negotiated != nil else { return context.close(promise: nil) }
            if let shown = try? context.pipeline.syncOperations.nioSSL_peerCertificate() {
                // A session that is resumed is not verified again, and a connection may outlive what its client showed.
                let left = Int64(shown.notValidAfter) - Int64(Timestamp.now().seconds)
                guard left >= 0 else { return context.close(promise: nil) }
                expiry = after(.seconds(min(left, Self.longest) + 1), context) { _, channel in
                    channel.close(promise: nil)
                }
                if let subject = Self.subject(shown) { name = subject }
            }
        }
        if event is ChannelShouldQuiesceEvent { end(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private static func subject(_ shown: NIOSSLCertificate) -> String? {
        (try? Certificate(derEncoded: shown.toDERBytes())).map { "\($0.subject)" }
    }

    /// The server ends: what is computed is finished, and nobody is waited for without end.
    private func end(_ context: ChannelHandlerContext) {
        guard ending == nil else { return }
        let channel = context.channel
        let box = NIOLoopBound(self, eventLoop: context.eventLoop)
        ending = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.stillness, delay: Self.stillness) { _ in
            if box.value.questions <= box.value.waiting { channel.close(promise: nil) }
        }
    }

    private func after(
        _ time: TimeAmount, _ context: ChannelHandlerContext,
        _ body: @escaping @Sendable (ConnectionBoundsHandler, any Channel) -> Void
    ) -> Scheduled<Void> {
        let channel = context.channel
        let box = NIOLoopBound(self, eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: time) { body(box.value, channel) }
    }

    private func stop() {
        silence?.cancel()
        reader?.cancel()
        ending?.cancel()
        expiry?.cancel()
        kept?.leave()
        kept = nil
        if isCounted { bounds.use.disconnect(block) }
        isCounted = false
    }
}
