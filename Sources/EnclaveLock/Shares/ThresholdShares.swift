import LibCrypto
import SecretMemory

/// Shares of a secret of which any `threshold` give it back and fewer tell nothing (Shamir over GF(2^8)); the form is that of
/// ``ShamirShares``, whose field this uses.
enum ThresholdShares {
    /// People at most.
    static let most = 16

    /// - Parameters:
    ///   - threshold: 2 to `count`.
    ///   - count: At most ``most``.
    /// - Returns: Share number *i* has x = *i* + 1.
    static func split(
        _ secret: borrowing SecretBytes, threshold: Int, count: Int
    ) throws(EnclaveLockError) -> [SharedSecret] {
        guard (2...most).contains(count), (2...count).contains(threshold), secret.count > 0 else {
            throw EnclaveLockError(
                .invalidArgument, "A secret is shared by 2 to \(most) people, of whom 2 or more are needed.")
        }
        let length = secret.count
        do {
            // One polynomial for each byte, its coefficients above the constant one drawn anew.
            let coefficients = try SecretBytes.random(count: (threshold - 1) * length)
            var shares: [SharedSecret] = []
            for x in 1...UInt8(count) {
                let share = try SecretBytes.make(count: length + 1) { output in
                    secret.withUnsafeBytes { secret in
                        coefficients.withUnsafeBytes { coefficients in
                            for index in 0..<length {
                                var value: UInt8 = 0
                                for degree in (0..<(threshold - 1)).reversed() {
                                    value = ShamirShares.multiply(value, x) ^ coefficients[degree * length + index]
                                }
                                output[index] = ShamirShares.multiply(value, x) ^ secret[index]
                            }
                        }
                    }
                    output[length] = x
                }
                shares.append(SharedSecret(share))
            }
            return shares
        } catch {
            throw EnclaveLockError.failed("Could not share a secret", error)
        }
    }

    /// - Returns: The secret if the shares are as many as its threshold, and of one secret; otherwise something else, which
    ///   nothing here can tell.
    /// - Throws: `.openingFailed` for shares of different or impossible lengths, equal x, or x of 0.
    static func combine(_ shares: [SharedSecret]) throws(EnclaveLockError) -> SecretBytes {
        guard let count = shares.first?.count, shares.count <= most, ShamirShares.lengths.contains(count),
            shares.allSatisfy({ $0.count == count })
        else { throw .doesNotOpen }
        let xs = shares.map { share in share.withUnsafeBytes { $0[count - 1] } }
        guard !xs.contains(0), Set(xs).count == xs.count else { throw .doesNotOpen }
        do {
            return try SecretBytes.make(count: count - 1) { output in
                for (share, x) in zip(shares, xs) {
                    // Lagrange's weight at 0; subtraction is exclusive or. The x are public.
                    var weight: UInt8 = 1
                    for other in xs where other != x {
                        weight = ShamirShares.multiply(
                            weight, ShamirShares.multiply(other, ShamirShares.invert(other ^ x)))
                    }
                    share.withUnsafeBytes { share in
                        for index in 0..<(count - 1) { output[index] ^= ShamirShares.multiply(share[index], weight) }
                    }
                }
            }
        } catch {
            throw EnclaveLockError.failed("Could not combine shares", error)
        }
    }
}
