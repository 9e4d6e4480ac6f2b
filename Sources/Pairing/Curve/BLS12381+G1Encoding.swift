/// The ZCash encodings: big-endian, three flag bits on top (0x80 compressed, 0x40 infinity, 0x20 the larger y).
extension BLS12381.G1Point {
    /// Reads 48 bytes.
    ///
    /// - Parameter allowingInfinity: whether the one encoding of infinity is accepted.
    /// - Throws: `.wrongLength`, `.invalidFlags`, `.notCanonical`, `.notOnCurve`, `.notInSubgroup`, `.infinity`.
    public init(compressed bytes: some Collection<UInt8>, allowingInfinity: Bool = false) throws(PairingError) {
        let encoding = try ZCashEncoding(bytes, byteCount: 48, compressed: true)
        guard !encoding.isInfinity else {
            guard allowingInfinity else { throw .infinity }
            self = .infinity
            return
        }
        guard let x = BLS12381Fp(bigEndian: encoding.body) else { throw .notCanonical }
        guard let root = (x.squared * x + BLS12381.G1Curve.b).squareRoot else { throw .notOnCurve }
        let larger = root.canonical.aboveHalfMask != 0
        let point = Point<BLS12381.G1Curve>(x, larger == encoding.isLarger ? root : -root, .one)
        guard BLS12381.isInSubgroup(point) else { throw .notInSubgroup }
        self.init(point)
    }

    /// Reads 96 bytes: x, y.
    ///
    /// - Throws: as ``init(compressed:allowingInfinity:)``.
    public init(uncompressed bytes: some Collection<UInt8>, allowingInfinity: Bool = false) throws(PairingError) {
        let encoding = try ZCashEncoding(bytes, byteCount: 96, compressed: false)
        guard !encoding.isInfinity else {
            guard allowingInfinity else { throw .infinity }
            self = .infinity
            return
        }
        guard let x = BLS12381Fp(bigEndian: encoding.body.prefix(48)),
            let y = BLS12381Fp(bigEndian: encoding.body.suffix(48))
        else { throw .notCanonical }
        guard BLS12381.G1Curve.contains(x, y) else { throw .notOnCurve }
        let point = Point<BLS12381.G1Curve>(x, y, .one)
        guard BLS12381.isInSubgroup(point) else { throw .notInSubgroup }
        self.init(point)
    }

    /// 48 bytes.
    public var compressed: [UInt8] {
        guard !isInfinity else { return ZCashEncoding.infinity(byteCount: 48, compressed: true) }
        let affine = point.affineVariableTime
        var bytes = affine.x.bigEndianBytes
        bytes[0] |= affine.y.canonical.aboveHalfMask != 0 ? 0xa0 : 0x80
        return bytes
    }

    /// 96 bytes.
    public var uncompressed: [UInt8] {
        guard !isInfinity else { return ZCashEncoding.infinity(byteCount: 96, compressed: false) }
        let affine = point.affineVariableTime
        return affine.x.bigEndianBytes + affine.y.bigEndianBytes
    }
}
