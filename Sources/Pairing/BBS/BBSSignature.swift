/// (A, e, s): 48 bytes compressed A, then e and s, 32 bytes big-endian each.
public struct BBSSignature: Sendable, Equatable {
    public static let byteCount = 112

    let a: BLS12381.G1Point
    let e: BLS12381.Scalar
    let s: BLS12381.Scalar

    init(a: BLS12381.G1Point, e: BLS12381.Scalar, s: BLS12381.Scalar) {
        self.a = a
        self.e = e
        self.s = s
    }

    /// Reads 112 bytes.
    ///
    /// - Throws: `.wrongLength`; the errors of a compressed point of G1; `.notCanonical` for a scalar from r upwards.
    public init(encoded bytes: some Collection<UInt8>) throws(PairingError) {
        guard bytes.count == Self.byteCount else {
            throw .wrongLength(expected: Self.byteCount, actual: bytes.count)
        }
        a = try BLS12381.G1Point(compressed: bytes.prefix(48))
        e = try BLS12381.Scalar(bigEndian: bytes.dropFirst(48).prefix(32))
        s = try BLS12381.Scalar(bigEndian: bytes.dropFirst(80))
    }

    /// 112 bytes.
    public var encoded: [UInt8] { a.compressed + e.bigEndian + s.bigEndian }
}
