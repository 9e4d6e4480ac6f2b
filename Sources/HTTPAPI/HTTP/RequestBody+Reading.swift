package import Hummingbird
import NIOCore
import SecretMemory

extension Request {
    /// How much of a body that is too large is still taken in and thrown away, so that closing the connection does not
    /// reset it before the answer has arrived.
    package static let discarded = 4 << 20

    /// Collects the body, and stops reading soon after it is known to be too large.
    func readBody(upTo limit: Int) async throws -> ByteBuffer {
        var collected: ByteBuffer?
        try await forEachChunk(upTo: limit) { chunk in
            if collected == nil { collected = chunk } else { collected?.writeImmutableBuffer(chunk) }
        }
        return collected ?? ByteBuffer()
    }

    /// Collects a body that carries a secret into locked memory and overwrites it where it arrived.
    ///
    /// - Parameter parse: Gets the body, writable; the pointer dies with the closure.
    func withSecretBody<R>(
        upTo limit: Int, _ parse: (UnsafeMutableRawBufferPointer) throws -> R
    ) async throws -> R {
        var chunks: [ByteBuffer] = []
        defer { for chunk in chunks { Self.overwrite(chunk) } }
        try await forEachChunk(upTo: limit) { chunks.append($0) }
        var result: R?
        _ = try SecretBytes.make(count: chunks.reduce(0) { $0 + $1.readableBytes }) { memory in
            var offset = 0
            for chunk in chunks {
                chunk.withUnsafeReadableBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: bytes)
                }
                offset += chunk.readableBytes
            }
            result = try parse(memory)
        }
        guard let result else { preconditionFailure("the parser returned or threw") }
        return result
    }

    private func forEachChunk(upTo limit: Int, _ take: (ByteBuffer) -> Void) async throws {
        var count = 0
        if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit {
            // Who waits for our consent has not begun to send.
            if headers[.expect] != nil { throw RequestError.tooLarge(limit: limit, isRead: false) }
            count = limit + 1
        }
        var chunks = body.makeAsyncIterator()
        while let chunk = try await Self.next(&chunks) {
            count += chunk.readableBytes
            if count <= limit {
                take(chunk)
            } else if count > limit + Self.discarded {
                throw RequestError.tooLarge(limit: limit, isRead: false)
            }
        }
        guard count <= limit else { throw RequestError.tooLarge(limit: limit, isRead: true) }
    }

    /// A client that goes away in the middle of a body is its own affair, not a failure of ours.
    private static func next(_ chunks: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await chunks.next()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw RequestError(status: 400, message: "the body ended early", closesConnection: true)
        }
    }

    /// Writes zeros over a part of a body.
    ///
    /// Safety: this goes around copy-on-write on purpose, because a copy is what must not stay. The range is that of
    /// one body part of one request; the parser that handed it out has moved past it, other slices of the storage
    /// are of other bytes, and nobody reads this part again.
    private static func overwrite(_ chunk: ByteBuffer) {
        chunk.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: base), count: bytes.count)
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }
}
