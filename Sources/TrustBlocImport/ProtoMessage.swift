import SecretMemory

/// The fields of one protocol buffers message, as places in bytes that are lent: nothing is copied out of locked memory.
///
/// Only what keysets use is read: numbers (wire type 0) and byte strings (wire type 2), each field once unless it is
/// asked for as repeated.
///
/// - Source: Protocol Buffers, "Encoding".
struct ProtoMessage {
    /// Fields of one message.
    private static let mostFields = 256

    private struct Field {
        var number: UInt64
        /// Of a number.
        var value: UInt64
        /// Of a byte string.
        var range: Range<Int>?
    }

    private var fields: [Field] = []

    /// - Throws: ``TrustBlocError`` for anything but such a message.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(TrustBlocError) {
        var position = range.lowerBound
        while position < range.upperBound {
            guard fields.count < Self.mostFields else { throw TrustBlocError.damaged }
            let key = try Self.number(bytes, &position, range.upperBound)
            guard key >> 3 > 0, key >> 3 <= 536_870_911 else { throw TrustBlocError.damaged }
            let value = try Self.number(bytes, &position, range.upperBound)
            switch key & 7 {
            case 0: fields.append(Field(number: key >> 3, value: value, range: nil))
            case 2:
                guard value <= UInt64(range.upperBound - position) else { throw TrustBlocError.damaged }
                let end = position + Int(value)
                fields.append(Field(number: key >> 3, value: 0, range: position..<end))
                position = end
            default: throw TrustBlocError.damaged
            }
        }
    }

    /// A varint of at most ten bytes.
    private static func number(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ end: Int
    ) throws(TrustBlocError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { throw TrustBlocError.damaged }
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { throw TrustBlocError.damaged }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw TrustBlocError.damaged
    }

    /// 0 if the field is not there, as the format has it.
    func number(_ field: UInt64) throws(TrustBlocError) -> UInt64 {
        guard let found = try single(field) else { return 0 }
        guard found.range == nil else { throw TrustBlocError.damaged }
        return found.value
    }

    /// Nil if the field is not there.
    func bytes(_ field: UInt64) throws(TrustBlocError) -> Range<Int>? {
        guard let found = try single(field) else { return nil }
        guard let range = found.range else { throw TrustBlocError.damaged }
        return range
    }

    func repeated(_ field: UInt64) throws(TrustBlocError) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for found in fields where found.number == field {
            guard let range = found.range else { throw TrustBlocError.damaged }
            ranges.append(range)
        }
        return ranges
    }

    private func single(_ number: UInt64) throws(TrustBlocError) -> Field? {
        let found = fields.filter { $0.number == number }
        guard found.count <= 1 else { throw TrustBlocError.damaged }
        return found.first
    }
}
