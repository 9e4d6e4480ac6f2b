/// 33 bytes as ``CompressedEncoding`` says, and the uncompressed form that TPMs take and give.
extension BNP256.G1Point {
    /// Reads 33 bytes.
    ///
    /// - Throws: `.wrongLength`, `.invalidFlags`, `.infinity`, `.notCanonical`, `.notOnCurve`.
    public init(compressed bytes: some Collection<UInt8>) throws(PairingError) {
        let encoding = try CompressedEncoding(bytes, byteCount: 33)
        guard let x = BNP256Fp(bigEndian: encoding.body) else { throw .notCanonical }
        guard let root = (x.squared * x + BNP256.G1Curve.b).squareRoot else { throw .notOnCurve }
        // The cofactor is 1, so the curve equation is the whole check.
        self.init(Point(x, (root.parity != 0) == encoding.isOdd ? root : -root, .one))
    }

    /// Reads 04 || X || Y with 32-byte big-endian coordinates.
    ///
    /// - Throws: `.wrongLength`, `.invalidFlags` for another first byte, `.notCanonical`, `.notOnCurve`.
    public init(uncompressed bytes: some Collection<UInt8>) throws(PairingError) {
        guard bytes.count == 65 else { throw .wrongLength(expected: 65, actual: bytes.count) }
        guard bytes.first == 4 else { throw .invalidFlags }
        guard let x = BNP256Fp(bigEndian: bytes.dropFirst().prefix(32)),
            let y = BNP256Fp(bigEndian: bytes.dropFirst(33))
        else { throw .notCanonical }
        guard BNP256.G1Curve.contains(x, y) else { throw .notOnCurve }
        self.init(Point(x, y, .one))
    }

    /// 33 bytes.
    public var compressed: [UInt8] {
        guard !isInfinity else { return [UInt8](repeating: 0, count: 33) }
        let affine = point.affineVariableTime
        return CompressedEncoding.bytes(x: affine.x.bigEndianBytes, yParity: affine.y.parity)
    }

    /// 04 || X || Y with 32-byte big-endian coordinates; nil for infinity.
    public var uncompressed: [UInt8]? {
        guard !isInfinity else { return nil }
        let affine = point.affineVariableTime
        return [4] + affine.x.bigEndianBytes + affine.y.bigEndianBytes
    }
}

/// 65 bytes as ``CompressedEncoding`` says: the imaginary and then the real part of x; the parity is that of sgn0 of
/// RFC 9380 section 4.1.
extension BNP256.G2Point {
    /// Reads 65 bytes.
    ///
    /// - Throws: `.wrongLength`, `.invalidFlags`, `.infinity`, `.notCanonical`, `.notOnCurve`, `.notInSubgroup`.
    public init(compressed bytes: some Collection<UInt8>) throws(PairingError) {
        let encoding = try CompressedEncoding(bytes, byteCount: 65)
        guard let imaginary = BNP256Fp(bigEndian: encoding.body.prefix(32)),
            let real = BNP256Fp(bigEndian: encoding.body.suffix(32))
        else { throw .notCanonical }
        let x = Fp2(real, imaginary)
        guard let root = (x.squared * x + BNP256.G2Curve.b).squareRootVariableTime else { throw .notOnCurve }
        let point = Point<BNP256.G2Curve>(x, (root.parity != 0) == encoding.isOdd ? root : -root, .one)
        guard BNP256.isInSubgroup(point) else { throw .notInSubgroup }
        self.init(point)
    }

    /// 65 bytes.
    public var compressed: [UInt8] {
        guard !isInfinity else { return [UInt8](repeating: 0, count: 65) }
        let affine = point.affineVariableTime
        return CompressedEncoding.bytes(
            x: affine.x.c1.bigEndianBytes + affine.x.c0.bigEndianBytes, yParity: affine.y.parity)
    }
}
