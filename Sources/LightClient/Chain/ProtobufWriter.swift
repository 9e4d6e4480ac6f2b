/// Writes the few protobuf shapes that a chain hashes and signs. A zero or empty field is left out, as proto3 does.
///
/// Source: Protocol Buffers, Encoding.
public struct ProtobufWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func number(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        varint(field << 3)
        varint(value)
    }

    /// A signed number in two's complement, ten bytes if it is negative.
    public mutating func number(_ field: UInt64, _ value: Int64) { number(field, UInt64(bitPattern: value)) }

    /// Eight bytes, little-endian.
    public mutating func fixed(_ field: UInt64, _ value: Int64) {
        guard value != 0 else { return }
        varint(field << 3 | 1)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: UInt64(bitPattern: value) >> UInt64(shift)))
        }
    }

    public mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
        if !value.isEmpty { message(field, value) }
    }

    /// A message, which is there even if it is empty.
    public mutating func message(_ field: UInt64, _ value: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    public mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    public static func writing(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        body(&writer)
        return writer.bytes
    }
}

extension ChainTime {
    /// google.protobuf.Timestamp.
    var message: [UInt8] {
        .init(
            ProtobufWriter.writing {
                $0.number(1, seconds)
                $0.number(2, UInt64(nanoseconds))
            })
    }
}
