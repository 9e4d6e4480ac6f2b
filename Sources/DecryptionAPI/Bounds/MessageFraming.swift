import NIOCore

/// Follows gRPC's framing of messages, without keeping any: one byte that says whether a message is compressed, four of its
/// length, the message.
struct MessageFraming {
    private var prefix: [UInt8] = []
    private var left = 0

    /// A message that begins.
    struct Head: Equatable {
        var isCompressed: Bool
        var length: Int
    }

    /// - Returns: The messages that begin in these bytes.
    mutating func read(_ buffer: ByteBuffer) -> [Head] {
        var heads: [Head] = []
        var rest = buffer.readableBytesView
        while !rest.isEmpty {
            if left > 0 {
                let count = min(left, rest.count)
                rest = rest.dropFirst(count)
                left -= count
                continue
            }
            let part = rest.prefix(5 - prefix.count)
            prefix += part
            rest = rest.dropFirst(part.count)
            guard prefix.count == 5 else { break }
            left = prefix.dropFirst().reduce(0) { $0 << 8 | Int($1) }
            heads.append(Head(isCompressed: prefix[0] != 0, length: left))
            prefix = []
        }
        return heads
    }
}
