/// What decryption must know about a key besides its bits. Public; kept beside the sealed bits.
public struct KeyParameters: Sendable, Hashable {
    /// Values of a block without its carry: a power of two from 2.
    public let messageModulus: UInt64
    /// Room for carries above the message: a power of two from 1; the product of both is at most 256.
    public let carryModulus: UInt64
    /// Which of the client's secrets the bits are, and so which ciphertexts they open.
    public let order: KeyOrder
    /// Bits of the key, 16 to 8,192: words of a ciphertext's mask.
    public let length: Int

    static let lengths: ClosedRange<Int> = 16...8192

    /// - Throws: ``TFHEError`` (`tfhe-key`) naming the number out of bounds.
    public init(messageModulus: UInt64, carryModulus: UInt64, order: KeyOrder, length: Int) throws(TFHEError) {
        guard Self.isPlaintextSpace(message: messageModulus, carry: carryModulus) else {
            throw .key("message and carry modulus must be powers of two, from 2 and from 1, of a product up to 256")
        }
        guard Self.lengths.contains(length) else {
            throw .key("a key has 16 to 8192 bits, not \(length)")
        }
        self.messageModulus = messageModulus
        self.carryModulus = carryModulus
        self.order = order
        self.length = length
    }

    /// Bytes of the packed bits: eight for each 64, the last ones filled with zeros.
    public var packedByteCount: Int { (length + 63) / 64 * 8 }

    /// log2 of the step between two neighbouring values: 2^63 / (message modulus * carry modulus); one bit stays above
    /// the carry.
    var stepExponent: UInt64 { UInt64(63 - (messageModulus * carryModulus).trailingZeroBitCount) }

    static func isPlaintextSpace(message: UInt64, carry: UInt64) -> Bool {
        guard (2...Ciphertext.Limit.plaintextSpace).contains(message),
            (1...Ciphertext.Limit.plaintextSpace).contains(carry)
        else { return false }
        return message.nonzeroBitCount == 1 && carry.nonzeroBitCount == 1
            && message * carry <= Ciphertext.Limit.plaintextSpace
    }
}
