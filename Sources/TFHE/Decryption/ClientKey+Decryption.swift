public import SecretMemory

/// How much noise is taken before a ciphertext is refused, as a part of the step between two values. Half a step is where
/// the value itself becomes wrong.
public struct NoiseLimit: Sendable, Hashable {
    let shift: UInt64

    /// A quarter of the step: what evaluated ciphertexts stay far below.
    public static let quarter = NoiseLimit(shift: 2)

    /// The step divided by 2^`exponent`, 2 to 16; larger ones are for deployments that know their parameters.
    public init?(exponent: Int) {
        guard (2...16).contains(exponent) else { return nil }
        self.init(shift: UInt64(exponent))
    }

    private init(shift: UInt64) { self.shift = shift }
}

/// A decrypted value, in locked memory that is wiped with it.
public struct DecryptedValue: ~Copyable, Sendable {
    public let type: ValueType
    /// Little-endian, ``ValueType/byteCount`` bytes, unused high bits 0; a truth value is one byte, 0 or 1.
    public let value: SecretBytes
    /// For logs and metrics: the largest noise of any block is below the step divided by 2^`noiseMargin`. The usual
    /// values are above 10; a fall is the first sign of a wrong key or of parameters that do not fit.
    public let noiseMargin: Int
}

extension ClientKey {
    /// Succeeds if the ciphertext is made for a key like this one: length, moduli and order.
    ///
    /// - Throws: ``TFHEError`` (`tfhe-unfit`) naming what was expected and found.
    public func check(_ ciphertext: Ciphertext) throws(TFHEError) {
        guard ciphertext.order == parameters.order else {
            throw .unfit("the ciphertext is for a \(ciphertext.order); this key is the \(parameters.order)")
        }
        guard ciphertext.dimension == parameters.length else {
            throw .unfit(
                "the ciphertext is for a key of \(ciphertext.dimension) bits; this one has \(parameters.length)")
        }
        guard ciphertext.messageModulus == parameters.messageModulus,
            ciphertext.carryModulus == parameters.carryModulus
        else {
            throw .unfit(
                "the ciphertext has message and carry modulus \(ciphertext.messageModulus) and "
                    + "\(ciphertext.carryModulus); the key \(parameters.messageModulus) and \(parameters.carryModulus)")
        }
    }

    /// Decrypts.
    ///
    /// Every block is computed before anything is judged, so that the time says nothing of the value. A wrong key gives
    /// noise all over the step and values above what the block says it may hold: the default limit lets each block pass
    /// with a chance of (degree + 1) / (4 * message modulus * carry modulus), which is 1 in 65,536 for a fresh number of
    /// eight bits and 1 in 32 for a truth value.
    ///
    /// - Throws: ``TFHEError``: `tfhe-unfit` if the ciphertext is not made for such a key, `tfhe-noise` if a block's
    ///   noise is above the limit or its value above its degree; `SecretMemoryError` if memory cannot be locked.
    /// - Note: About 2 microseconds for each block of 2048 words, on the caller's thread.
    public func decrypt(_ ciphertext: Ciphertext, limit: NoiseLimit = .quarter) throws -> DecryptedValue {
        try check(ciphertext)
        var decoder = BlockDecoder(
            step: parameters.stepExponent, limitShift: limit.shift,
            width: UInt64(parameters.messageModulus.trailingZeroBitCount))
        let value = try SecretBytes.make(count: ciphertext.type.byteCount) { output in
            _ = try SecretBytes.make(count: MaskedSum.laneByteCount) { lane in
                decode(ciphertext, &decoder, to: output, lane: lane)
            }
        }
        // From here the verdict is public.
        guard decoder.excess == 0 else {
            throw TFHEError(
                .noise,
                "the noise of a block is above the limit or its value above its degree: "
                    + "another key made the ciphertext, or it was damaged")
        }
        let margin = Int(parameters.stepExponent) - (64 - decoder.noise.leadingZeroBitCount)
        return DecryptedValue(type: ciphertext.type, value: value, noiseMargin: margin)
    }

    private func decode(
        _ ciphertext: Ciphertext, _ decoder: inout BlockDecoder, to output: UnsafeMutableRawBufferPointer,
        lane: UnsafeMutableRawBufferPointer
    ) {
        bits.withUnsafeBytes { key in
            ciphertext.bytes.withUnsafeBytes { bytes in
                for block in ciphertext.blocks {
                    let words = UnsafeRawBufferPointer(
                        rebasing: bytes[block.words.offset...].prefix(8 * block.words.count))
                    let phase = MaskedSum.phase(words, key: key, length: parameters.length, lane: lane)
                    let digit = decoder.decode(phase, degree: block.degree)
                    switch ciphertext.type {
                    case .bool: output[0] = decoder.truth(digit)
                    case .unsigned, .signed: decoder.append(digit, to: output)
                    }
                }
            }
        }
    }
}
