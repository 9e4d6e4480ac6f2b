/// Signatures near a good one that no verifier may accept, for entries that make the signed message themselves.
///
/// The families are those of Project Wycheproof: numbers moved by the group's order, zeros, the order itself, other
/// encodings, lengths, points of small order and single bits.
public enum SignatureForgeries {
    /// - Parameter signature: r ‖ s on P-256.
    public static func p256(_ signature: [UInt8]) -> [[UInt8]] {
        let (r, s) = (Array(signature[..<32]), Array(signature[32...]))
        let zero = [UInt8](repeating: 0, count: 32)
        let one = Array(zero.dropLast()) + [1]
        let ones = [UInt8](repeating: 0xFF, count: 32)
        var forged: [[UInt8]] = [
            zero + zero, zero + s, r + zero, p256Order + s, r + p256Order, p256Order + p256Order, one + one, one + s,
            r + one,
            ones + ones, s + r, sum(p256Order, r) + [0] + s, [0] + r + sum(p256Order, s), [0] + r + [0] + s,
            der(r, s),
        ]
        forged += lengths(signature) + bits(signature)
        return forged.filter { $0 != signature }
    }

    /// - Parameter signature: R ‖ S.
    public static func ed25519(_ signature: [UInt8]) -> [[UInt8]] {
        let (point, scalar) = (Array(signature[..<32]), Array(signature[32...]))
        let zero = [UInt8](repeating: 0, count: 32)
        let identity = [1] + Array(zero.dropLast())
        var forged: [[UInt8]] = [
            zero + zero, identity + zero, point + zero, zero + scalar, identity + scalar, scalar + point,
            point + ed25519Order, identity + ed25519Order,
        ]
        // The same scalar modulo the order (RFC 8032 section 5.1.7), as long as it has 32 bytes.
        var moved = Array(scalar.reversed())
        while true {
            moved = sum(moved, ed25519Order.reversed())
            guard moved[0] == 0 else { break }
            moved.removeFirst()
            forged.append(point + moved.reversed())
        }
        forged += lengths(signature) + bits(signature)
        return forged.filter { $0 != signature }
    }

    private static func lengths(_ signature: [UInt8]) -> [[UInt8]] {
        [
            [], [0], Array(signature.dropLast()), Array(signature.dropFirst()), signature + [0], [0] + signature,
            Array(signature.prefix(32)), signature + signature,
        ]
    }

    private static func bits(_ signature: [UInt8]) -> [[UInt8]] {
        (0..<signature.count * 8).map { bit in
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            return changed
        }
    }

    /// Of big-endian numbers of 32 bytes, with the carry in front: 33 bytes.
    private static func sum(_ left: [UInt8], _ right: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var carry: UInt16 = 0
        for (one, other) in zip(left.reversed(), Array(right).reversed()) {
            carry += UInt16(one) + UInt16(other)
            result.append(UInt8(truncatingIfNeeded: carry))
            carry >>= 8
        }
        return [UInt8(carry)] + result.reversed()
    }

    private static func der(_ r: [UInt8], _ s: [UInt8]) -> [UInt8] {
        func integer(_ number: [UInt8]) -> [UInt8] {
            var digits = Array(number.drop { $0 == 0 })
            if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
            return [2, UInt8(digits.count)] + digits
        }
        let body = integer(r) + integer(s)
        return [0x30, UInt8(body.count)] + body
    }

    /// FIPS 186-4 appendix D.1.2.3.
    private static let p256Order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    /// RFC 8032 section 5.1, little-endian.
    private static let ed25519Order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
}
