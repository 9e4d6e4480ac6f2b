/// Turns phases into digits of a value, and keeps what the guard needs, without a branch on either.
package struct BlockDecoder {
    /// log2 of the step between values.
    private let step: UInt64
    /// The noise above which a block is refused.
    private let limit: UInt64
    /// log2 of the message modulus.
    private let width: UInt64
    private var carry: UInt64 = 0
    private var bitsWritten = 0
    /// Of every block's noise, or-ed: its highest bit is that of the largest.
    package private(set) var noise: UInt64 = 0
    /// Not 0 if some block's noise is above the limit or its value above its degree.
    package private(set) var excess: UInt64 = 0

    /// - Parameters:
    ///   - step: log2 of the step, at most 61.
    ///   - limitShift: The limit is the step shifted right by so much.
    ///   - width: log2 of the message modulus, 1 to 8.
    package init(step: UInt64, limitShift: UInt64, width: UInt64) {
        self.step = step
        limit = 1 << (step - limitShift)
        self.width = width
    }

    /// The nearest value to `phase`, carry included; the distance goes to the guard.
    package mutating func decode(_ phase: UInt64, degree: UInt64) -> UInt64 {
        let half: UInt64 = 1 &<< (step &- 1)
        let raised = phase &+ half
        let value = raised &>> step
        let distance = Int64(bitPattern: (raised & ((1 &<< step) &- 1)) &- half)
        let sign = distance &>> 63
        let size = UInt64(bitPattern: (distance ^ sign) &- sign)
        noise |= size
        excess |= ((limit &- size) | (degree &- value)) &>> 63
        return value
    }

    /// Writes the next digit; what is above the message modulus is added to the digits that follow, and dropped behind
    /// the last one.
    package mutating func append(_ value: UInt64, to output: UnsafeMutableRawBufferPointer) {
        carry &+= value
        let digit = carry & ((1 &<< width) &- 1)
        carry = carry &>> width
        let (byte, offset) = (bitsWritten / 8, UInt64(bitsWritten % 8))
        let placed = digit &<< offset
        output[byte] |= UInt8(truncatingIfNeeded: placed)
        if byte + 1 < output.count { output[byte + 1] |= UInt8(truncatingIfNeeded: placed &>> 8) }
        bitsWritten += Int(width)
    }

    /// A truth value: whether the message, without its carry, is not 0.
    package func truth(_ value: UInt64) -> UInt8 {
        let message = value & ((1 &<< width) &- 1)
        return UInt8(truncatingIfNeeded: (message | (0 &- message)) &>> 63)
    }
}
