import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

/// Reads a message of a shape.
struct StrictDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
    let shape: MessageShape
    /// Bytes; what the transport takes at most is a little more, so that the refusal has a status.
    let limit: Int

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
        guard bytes.count <= limit else {
            throw RPCError(
                code: .resourceExhausted, message: "message-length: the request has more than \(limit) bytes")
        }
        try bytes.withUnsafeBytes { try shape.check($0) }
        // Straight from the transport's bytes: half a megabyte is not copied for it.
        do { return try ProtobufDeserializer<Message>().deserialize(bytes) } catch {
            throw RPCError(code: .invalidArgument, message: "malformed-protobuf: the request cannot be read")
        }
    }
}
