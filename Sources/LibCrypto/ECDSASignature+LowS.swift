extension ECDSASignature {
    /// On secp256k1 the one of the two signatures (r, s) and (r, n − s) whose s is at most n/2; on other curves, and for what
    /// is no signature, the input.
    ///
    /// Both verify (SEC 1 version 2.0 §4.1.4), but libsecp256k1, and with it what verifies for chains, takes the low one only.
    /// Signatures are public, so the time this takes may depend on them.
    ///
    /// - Parameter signature: r ‖ s, each 32 bytes.
    public static func lowS(_ signature: [UInt8], curve: SigningCurve) -> [UInt8] {
        guard curve == .secp256k1, signature.count == 2 * order.count else { return signature }
        let s = signature[order.count...]
        guard s.lexicographicallyPrecedes(order), s.contains(where: { $0 != 0 }) else { return signature }
        var borrow = 0
        var digits: [UInt8] = []
        for (whole, part) in zip(order, s).reversed() {
            let digit = Int(whole) - Int(part) - borrow
            borrow = digit < 0 ? 1 : 0
            digits.append(UInt8(truncatingIfNeeded: digit))
        }
        digits.reverse()
        return digits.lexicographicallyPrecedes(s) ? signature[..<order.count] + digits : signature
    }

    /// Order of secp256k1, big-endian (SEC 2 version 2.0 §2.4.1).
    private static let order: [UInt8] =
        [UInt8](repeating: 0xFF, count: 15) + [
            0xFE, 0xBA, 0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
        ]
}
