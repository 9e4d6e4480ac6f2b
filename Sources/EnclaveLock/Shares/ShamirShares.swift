import SecretMemory

/// Puts two shares of a secret together (Shamir, 2 of 2, over GF(2^8)).
///
/// A share is one byte of y for each byte of the secret, then one byte of x, never 0, as HashiCorp Vault's library
/// writes them. Nothing branches on or indexes with a share's bytes, and every byte stays in locked memory.
///
/// - Source: A. Shamir, How to share a secret (1979); FIPS 197 §4.2 for the field (polynomial 0x11b).
enum ShamirShares {
    /// Bytes of a share: y bytes and x.
    static let lengths = 2...1025

    /// The secret of two shares; which is which does not matter.
    ///
    /// - Throws: `.shareRefused` for shares of different or impossible lengths, equal x, or x of 0.
    static func combine(_ first: SharedSecret, _ second: SharedSecret) throws(EnclaveLockError) -> SecretBytes {
        try first.withUnsafeBytes { first throws(EnclaveLockError) in
            try second.withUnsafeBytes { second throws(EnclaveLockError) in try combine(first, second) }
        }
    }

    private static func combine(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) throws(EnclaveLockError) -> SecretBytes {
        guard lengths.contains(first.count), first.count == second.count else { throw .shareDoesNotFit }
        let count = first.count - 1
        let (x1, x2) = (first[count], second[count])
        guard x1 != 0, x2 != 0, x1 != x2 else { throw .shareDoesNotFit }
        // Lagrange's weights at 0; subtraction is exclusive or.
        let inverse = invert(x1 ^ x2)
        let (w1, w2) = (multiply(x2, inverse), multiply(x1, inverse))
        do {
            return try SecretBytes.make(count: count) { output in
                for index in 0..<count { output[index] = multiply(first[index], w1) ^ multiply(second[index], w2) }
            }
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not combine shares: \(error)")
        }
    }

    /// Multiplies in the field: eight steps, masks instead of branches.
    static func multiply(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (factor, product) = (left, UInt8(0))
        for bit in 0..<8 {
            product ^= factor & (0 &- (right >> UInt8(bit) & 1))
            factor = factor << 1 ^ (0x1b & (0 &- (factor >> 7)))
        }
        return product
    }

    /// The 254th power, which is the inverse of everything but 0.
    static func invert(_ value: UInt8) -> UInt8 {
        var (square, result) = (value, UInt8(1))
        for _ in 0..<7 {
            square = multiply(square, square)
            result = multiply(result, square)
        }
        return result
    }
}

extension EnclaveLockError {
    static let shareDoesNotFit = EnclaveLockError(
        .shareRefused, "The secret share does not open this keystore.")
}
