/// The ZCash encodings: the imaginary part of each coordinate comes first.
extension BLS12381.G2Point {
    /// Reads 96 bytes.
    ///
    /// - Throws: `.wrongLength`, `.invalidFlags`, `.notCanonical`, `.notOnCurve`, `.notInSubgroup`, `.infinity`.
    public init(compressed bytes: some Collection<UInt8>, allowingInfinity: Bool = false) throws(PairingError) {
        let encoding = try ZCashEncoding(bytes, byteCount: 96, compressed: true)
        guard !encoding.isInfinity else {
            guard allowingInfinity else { throw .infinity }
            self = .infinity
            return
        }
        let x = try Self.coordinate(encoding.body)
        guard let root = (x.squared * x + BLS12381.G2Curve.b).squareRootVariableTime else { throw .notOnCurve }
        let y = Self.isLarger(root) == encoding.isLarger ? root : -root
        try self.init(checking: Point(x, y, .one))
    }

    /// Reads 192 bytes: x, y.
    ///
    /// - Throws: as ``init(compressed:allowingInfinity:)``.
    public init(uncompressed bytes: some Collection<UInt8>, allowingInfinity: Bool = false) throws(PairingError) {
        let encoding = try ZCashEncoding(bytes, byteCount: 192, compressed: false)
        guard !encoding.isInfinity else {
            guard allowingInfinity else { throw .infinity }
            self = .infinity
            return
        }
        let x = try Self.coordinate(encoding.body.prefix(96))
        let y = try Self.coordinate(encoding.body.suffix(96))
        guard BLS12381.G2Curve.contains(x, y) else { throw .notOnCurve }
        try self.init(checking: Point(x, y, .one))
    }

    /// 96 bytes.
    public var compressed: [UInt8] {
        guard !isInfinity else { return ZCashEncoding.infinity(byteCount: 96, compressed: true) }
        let affine = point.affineVariableTime
        var bytes = Self.bytes(affine.x)
        bytes[0] |= Self.isLarger(affine.y) ? 0xa0 : 0x80
        return bytes
    }

    /// 192 bytes.
    public var uncompressed: [UInt8] {
        guard !isInfinity else { return ZCashEncoding.infinity(byteCount: 192, compressed: false) }
        let affine = point.affineVariableTime
        return Self.bytes(affine.x) + Self.bytes(affine.y)
    }

    private init(checking point: Point<BLS12381.G2Curve>) throws(PairingError) {
        guard BLS12381.isInSubgroup(point) else { throw .notInSubgroup }
        self.init(point)
    }

    private static func coordinate(_ bytes: some Collection<UInt8>) throws(PairingError) -> Fp2<BLS12381Fp> {
        guard let imaginary = BLS12381Fp(bigEndian: bytes.prefix(48)),
            let real = BLS12381Fp(bigEndian: bytes.dropFirst(48))
        else { throw .notCanonical }
        return Fp2(real, imaginary)
    }

    private static func bytes(_ x: Fp2<BLS12381Fp>) -> [UInt8] { x.c1.bigEndianBytes + x.c0.bigEndianBytes }

    /// Whether y > -y, comparing imaginary parts first.
    private static func isLarger(_ y: Fp2<BLS12381Fp>) -> Bool {
        let deciding = y.c1.isZero ? y.c0 : y.c1
        return deciding.canonical.aboveHalfMask != 0
    }
}
