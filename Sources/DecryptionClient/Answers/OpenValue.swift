public import SecretMemory
public import TFHE

/// A value in clear, or an array of them, in locked memory. Nobody but its reader should see it.
public struct OpenValue: Sendable {
    public let type: ValueType
    /// Little-endian at the type's width, one behind the other.
    private let bytes: SharedSecret
    /// Of an array.
    private let isArray: Bool
    private let count: Int

    /// - Parameters:
    ///   - isEarly: Generation GA puts a 1 behind a truth value.
    ///   - arrayLength: Numbers of an array; 0 for what is none.
    init(_ value: SharedSecret, _ type: ValueType, isEarly: Bool, arrayLength: Int = 0) throws(ClientError) {
        let wrong = ClientError("value", "the answer's value does not fit its type")
        let (width, count) = (type.byteCount, max(1, arrayLength))
        do {
            bytes = SharedSecret(
                try SecretBytes.make(count: width * count) { output in
                    try value.withUnsafeBytes { value in
                        var value = value[...]
                        if isEarly, type == .bool {
                            guard value.count == 2, value.last == 1 else { throw wrong }
                            value = value.dropLast()
                        }
                        // Numbers are padded, or their noughts left out; arrays are whole.
                        guard arrayLength == 0 || value.count == output.count else { throw wrong }
                        guard value.dropFirst(output.count).allSatisfy({ $0 == 0 }) else { throw wrong }
                        output.copyBytes(from: value.prefix(output.count))
                    }
                    for number in 0..<count where type.bits < 8 {
                        guard output[width * number] >> UInt8(type.bits) == 0 else { throw wrong }
                    }
                })
        } catch let error as ClientError { throw error } catch { throw .noMemory }
        (self.type, isArray, self.count) = (type, arrayLength > 0, count)
    }

    /// `true`, `false`, a decimal number, or numbers in brackets with commas between them.
    public func text() throws(ClientError) -> SecretBytes {
        let width = type.byteCount
        do {
            return try SecretBytes.make(capacity: count * (3 * width + 8) + 2) { output in
                var end = 0
                func put(_ text: StaticString) {
                    text.withUTF8Buffer { for byte in $0 { (output[end], end) = (byte, end + 1) } }
                }
                if isArray { put("[") }
                for number in 0..<count {
                    if number > 0 { put(",") }
                    if type == .bool {
                        let isTrue = bytes.withUnsafeBytes { $0[number] } == 1
                        put(isTrue ? "true" : "false")
                    } else {
                        end = try digits(of: number, into: output, at: end)
                    }
                }
                if isArray { put("]") }
                return end
            }
        } catch { throw .noMemory }
    }

    /// The same of a value that everybody may see.
    public func publicText() throws(ClientError) -> String {
        try text().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes a number in decimal.
    ///
    /// - Returns: Where it ends.
    private func digits(of number: Int, into output: UnsafeMutableRawBufferPointer, at start: Int) throws -> Int {
        let width = type.byteCount
        var end = start
        // Divided by ten until nothing is left.
        _ = try SecretBytes.make(count: width) { rest in
            bytes.withUnsafeBytes { rest.copyBytes(from: $0[(width * number)..<(width * (number + 1))]) }
            if isNegative(rest) {
                (output[end], end) = (UInt8(ascii: "-"), end + 1)
                negate(rest)
            }
            let first = end
            repeat {
                var carried: UInt32 = 0
                for index in (0..<width).reversed() {
                    let value = carried << 8 | UInt32(rest[index])
                    (rest[index], carried) = (UInt8(value / 10), value % 10)
                }
                (output[end], end) = (UInt8(ascii: "0") + UInt8(carried), end + 1)
            } while rest.contains { $0 != 0 }
            output[first..<end].reverse()
        }
        return end
    }

    private func isNegative(_ number: UnsafeMutableRawBufferPointer) -> Bool {
        guard case .signed(let bits) = type, let top = number.last else { return false }
        return top >> UInt8((bits - 1) % 8) & 1 == 1
    }

    /// Two's complement at the type's width; what is below a byte is filled up.
    private func negate(_ number: UnsafeMutableRawBufferPointer) {
        let unused = UInt32(8 * type.byteCount - type.bits)
        number[number.count - 1] |= UInt8((0xFF << (8 - unused)) & 0xFF)
        var carry: UInt32 = 1
        for index in number.indices {
            let value = UInt32(number[index] ^ 0xFF) + carry
            (number[index], carry) = (UInt8(value & 0xFF), value >> 8)
        }
    }
}
