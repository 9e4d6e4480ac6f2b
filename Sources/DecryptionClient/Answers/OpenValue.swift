public import TFHE

/// A value in clear. Nobody but its reader should see it.
public struct OpenValue: Sendable {
    public let type: ValueType
    /// Little-endian.
    private let bytes: [UInt8]

    /// - Parameter isEarly: Generation GA puts a 1 behind a truth value.
    init(_ bytes: [UInt8], _ type: ValueType, isEarly: Bool) throws(ClientError) {
        let wrong = ClientError("value", "the answer's value does not fit its type")
        var bytes = bytes
        if isEarly, type == .bool {
            guard bytes.count == 2, bytes[1] == 1 else { throw wrong }
            bytes.removeLast()
        }
        while bytes.count > 1, bytes.last == 0 { bytes.removeLast() }
        guard bytes.count <= type.byteCount else { throw wrong }
        if type.bits < 8, let first = bytes.first, first >> UInt8(type.bits) != 0 { throw wrong }
        (self.bytes, self.type) = (bytes, type)
    }

    /// `true`, `false` or a decimal number.
    public var text: String {
        if type == .bool { return bytes.first == 1 ? "true" : "false" }
        var digits = bytes.reversed().map { UInt32($0) }
        let sign = isNegative ? "-" : ""
        if isNegative {
            // Two's complement at the type's width; what is below a byte is filled up.
            let unused = UInt32(8 * type.byteCount - type.bits)
            digits[0] |= (0xFF << (8 - unused)) & 0xFF
            var carry: UInt32 = 1
            for index in digits.indices.reversed() {
                let value = (digits[index] ^ 0xFF) + carry
                (digits[index], carry) = (value & 0xFF, value >> 8)
            }
        }
        var written: [UInt8] = []
        repeat {
            var rest: UInt32 = 0
            for index in digits.indices {
                let value = rest << 8 | digits[index]
                (digits[index], rest) = (value / 10, value % 10)
            }
            written.append(UInt8(ascii: "0") + UInt8(rest))
        } while digits.contains { $0 != 0 }
        return sign + String(decoding: written.reversed(), as: UTF8.self)
    }

    private var isNegative: Bool {
        guard case .signed(let bits) = type, bytes.count == type.byteCount, let top = bytes.last else { return false }
        return top >> UInt8((bits - 1) % 8) & 1 == 1
    }
}
