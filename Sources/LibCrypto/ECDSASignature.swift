/// The two encodings of an ECDSA signature, and exact conversion between them.
public enum ECDSASignature {
    /// How the numbers r and s are written.
    public enum Encoding: Sendable, CaseIterable {
        /// SEQUENCE of two INTEGERs (RFC 3279 §2.2.3), DER only.
        case der
        /// r ‖ s, each as wide as the group order (IEEE P1363).
        case p1363
    }

    /// Converts r ‖ s to DER.
    ///
    /// - Returns: nil for a wrong length or a zero number. Numbers above the order are left for verification to refuse.
    public static func der(fromP1363 signature: [UInt8], curve: SigningCurve) -> [UInt8]? {
        guard let width = curve.group?.fieldLength, signature.count == 2 * width else { return nil }
        let (r, s) = (signature[..<width], signature[width...])
        guard r.contains(where: { $0 != 0 }), s.contains(where: { $0 != 0 }) else { return nil }
        return DERWriter.element(DERTag.sequence, DERWriter.integer(r) + DERWriter.integer(s))
    }

    /// Converts DER to r ‖ s.
    ///
    /// - Returns: nil unless the input is the one DER form of two positive numbers that fit the curve: no BER lengths, no
    ///   superfluous zeros, nothing behind the end.
    public static func p1363(fromDER signature: [UInt8], curve: SigningCurve) -> [UInt8]? {
        guard let width = curve.group?.fieldLength else { return nil }
        return signature.withUnsafeBytes { p1363(fromDER: $0, width: width) }
    }

    static func p1363(fromDER signature: UnsafeRawBufferPointer, width: Int) -> [UInt8]? {
        var outer = DERReader(signature)
        guard let body = outer.read(DERTag.sequence), outer.isAtEnd else { return nil }
        var inner = DERReader(body)
        guard let r = positive(&inner, width), let s = positive(&inner, width), inner.isAtEnd else { return nil }
        var result = [UInt8](repeating: 0, count: 2 * width)
        result.withUnsafeMutableBytes { result in
            UnsafeMutableRawBufferPointer(rebasing: result[(width - r.count)..<width]).copyMemory(from: r)
            UnsafeMutableRawBufferPointer(rebasing: result[(2 * width - s.count)...]).copyMemory(from: s)
        }
        return result
    }

    /// The digits of a positive, minimal INTEGER of at most `width` bytes, without its sign byte.
    private static func positive(_ reader: inout DERReader, _ width: Int) -> UnsafeRawBufferPointer? {
        guard var digits = reader.read(DERTag.integer), let first = digits.first, first < 0x80 else { return nil }
        if first == 0 {
            // A leading zero is right only before a set top bit; alone it is the number zero.
            guard digits.count > 1, digits[1] >= 0x80 else { return nil }
            digits = UnsafeRawBufferPointer(rebasing: digits[1...])
        }
        return digits.count <= width ? digits : nil
    }
}
