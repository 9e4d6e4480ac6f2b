/// The smaller of the two values that s of an ECDSA signature may have.
///
/// Whoever sees (r, s) can write down (r, n − s), which verifies as well (SEC 1 version 2.0, section 4.1.4); verifiers on
/// chains therefore accept the smaller one only, and tokens give out either. A signature is public, so the time this takes
/// may depend on it.
enum LowS {
    /// Order of secp256k1 (SEC 2 version 2.0, section 2.4.1).
    private static let order: [UInt8] =
        [UInt8](repeating: 0xff, count: 15) + [
            0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
        ]

    /// - Parameter signature: r ‖ s on secp256k1, 64 bytes, as the token made it.
    static func secp256k1(_ signature: [UInt8]) -> [UInt8] {
        let s = signature.suffix(order.count)
        let other = difference(order, s)
        return signature.prefix(signature.count - order.count) + (other.lexicographicallyPrecedes(s) ? other : Array(s))
    }

    /// Big-endian a − b for numbers of one length, b not above a.
    private static func difference(_ a: [UInt8], _ b: ArraySlice<UInt8>) -> [UInt8] {
        var borrow = 0
        var digits: [UInt8] = []
        for (x, y) in zip(a, b).reversed() {
            let digit = Int(x) - Int(y) - borrow
            borrow = digit < 0 ? 1 : 0
            digits.append(UInt8(truncatingIfNeeded: digit))
        }
        return digits.reversed()
    }
}
