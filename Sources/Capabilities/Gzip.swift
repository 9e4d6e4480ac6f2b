internal import CZlib

/// gzip (RFC 1952) of small documents, with a bound on what an input may expand to.
public enum Gzip {
    public static func compress(_ bytes: [UInt8]) throws(CapabilityError) -> [UInt8] {
        var stream = z_stream()
        guard kms_gzip_init(&stream) == Z_OK else { throw .malformed("zlib could not be initialised") }
        defer { deflateEnd(&stream) }
        let capacity = Int(deflateBound(&stream, UInt(bytes.count))) + 32
        return try run(&stream, bytes, capacity: capacity) { deflate($0, Z_FINISH) }
    }

    /// Expands one gzip member; more than `limit` bytes of output, trailing input or a damaged stream is refused.
    public static func expand(_ bytes: [UInt8], limit: Int = 65_536) throws(CapabilityError) -> [UInt8] {
        var stream = z_stream()
        guard kms_gunzip_init(&stream) == Z_OK else { throw .malformed("zlib could not be initialised") }
        defer { inflateEnd(&stream) }
        return try run(&stream, bytes, capacity: limit) { inflate($0, Z_FINISH) }
    }

    private static func run(
        _ stream: inout z_stream, _ input: [UInt8], capacity: Int,
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) throws(CapabilityError) -> [UInt8] {
        var input = input
        var output = [UInt8](repeating: 0, count: capacity)
        let (status, written, left) = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                let status = step(&stream)
                return (status, output.count - Int(stream.avail_out), stream.avail_in)
            }
        }
        guard status == Z_STREAM_END, left == 0 else {
            throw .malformed("the capability is not one complete gzip member of at most \(capacity) bytes")
        }
        return Array(output.prefix(written))
    }
}
