import Decryption
import Encodings
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import SwiftProtobuf
import X509

typealias Transport = HTTP2ServerTransport.Posix

/// What every service of the front needs.
struct Front: Sendable {
    let service: DecryptionService
    /// Nil: none can be given.
    let attesting: (any KeyAttesting)?
    let statuses: Statuses
    /// Bytes of one message.
    let maximumMessage: Int

    /// Who asks: the subject of his certificate, or his address without its port.
    static func caller(_ context: ServerContext) -> DecryptionService.Caller {
        let cancellation = context.cancellation
        return DecryptionService.Caller(name: name(context), requestID: RequestNames.next()) {
            cancellation.isCancelled || Task.isCancelled
        }
    }

    private static func name(_ context: ServerContext) -> String {
        if let certificate = (context.transportSpecific as? Transport.Context)?.peerCertificate {
            return "\(certificate.subject)"
        }
        let peer = context.remotePeer
        // exact: the transport writes addresses in ASCII.
        guard peer.startsExactly(with: "ipv"), let colon = peer.lastIndex(of: ":") else { return peer }
        return String(peer[..<colon])
    }

    /// An answer, and why it was given.
    typealias Grounded<Output> = (answer: Output, grounds: AnswerGrounds?)

    private static let receiptRequest = "x-receipt-request"
    private static let receipt = "x-receipt"

    /// Registers one method with one question and one answer.
    func unary<Input: SwiftProtobuf.Message, Output: SwiftProtobuf.Message>(
        _ router: inout RPCRouter<Transport>, _ service: String, _ method: String, _ shape: MessageShape,
        _ body: @escaping @Sendable (Input, DecryptionService.Caller) async throws(DecryptionError) -> Output
    ) {
        answering(&router, service, method, shape) { (question: Input, caller) async throws(DecryptionError) in
            (try await body(question, caller), nil)
        }
    }

    /// The same for a method whose answers have receipts: asked for with `x-receipt-request: 1` in the metadata, as the HTTP
    /// fronts are with a header.
    func answering<Input: SwiftProtobuf.Message, Output: SwiftProtobuf.Message>(
        _ router: inout RPCRouter<Transport>, _ service: String, _ method: String, _ shape: MessageShape,
        _ body:
            @escaping @Sendable (Input, DecryptionService.Caller) async throws(DecryptionError) -> Grounded<Output>
    ) {
        let (statuses, domain) = (statuses, self.service)
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: service, method: method),
            deserializer: StrictDeserializer<Input>(shape: shape, limit: maximumMessage),
            serializer: ProtobufSerializer<Output>()
        ) { request, context in
            let wantsReceipt = request.metadata[stringValues: Self.receiptRequest]
                .contains { $0.utf8.elementsEqual("1".utf8) }
            let question: Input
            do {
                question = try await ServerRequest(stream: request).message
            } catch let error as RPCError {
                throw statuses.unread(error)
            }
            do throws(DecryptionError) {
                let (answer, grounds) = try await body(question, Self.caller(context))
                var metadata: Metadata = [:]
                if wantsReceipt, let grounds {
                    metadata.addString(try await domain.receipt(grounds), forKey: Self.receipt)
                }
                return StreamingServerResponse(single: ServerResponse(message: answer, metadata: metadata))
            } catch { throw statuses.error(error) }
        }
    }
}
