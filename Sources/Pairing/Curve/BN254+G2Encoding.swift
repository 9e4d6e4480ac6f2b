/// 64 bytes: the real and then the imaginary part of x, little-endian; the top bit is the parity of the real part of y.
extension BN254.G2Point {
    /// Reads 64 bytes.
    ///
    /// - Throws: `.wrongLength`, `.notCanonical`, `.notOnCurve`, `.notInSubgroup`, `.infinity`, and `.invalidFlags` for a
    ///   lone parity bit.
    public init(encoded bytes: some Collection<UInt8>, allowingInfinity: Bool = false) throws(PairingError) {
        guard bytes.count == 64 else { throw .wrongLength(expected: 64, actual: bytes.count) }
        var body = Array(bytes)
        let isOdd = body[63] & 0x80 != 0
        body[63] &= 0x7f
        if body.allSatisfy({ $0 == 0 }) {
            if isOdd { throw .invalidFlags }
            guard allowingInfinity else { throw .infinity }
            self = .infinity
            return
        }
        guard let real = BN254Fp(littleEndian: body.prefix(32)), let imaginary = BN254Fp(littleEndian: body.suffix(32))
        else { throw .notCanonical }
        let x = Fp2(real, imaginary)
        guard let root = (x.squared * x + BN254.G2Curve.b).squareRootVariableTime else { throw .notOnCurve }
        try self.init(checking: Point(x, (root.c0.parity != 0) == isOdd ? root : -root, .one))
    }

    /// Reads the legacy MIRACL form: 04 and four 32-byte big-endian numbers, imaginary part first.
    ///
    /// - Throws: as ``init(encoded:allowingInfinity:)``; `.invalidFlags` for another first byte.
    public init(miracl bytes: some Collection<UInt8>) throws(PairingError) {
        guard bytes.count == 129 else { throw .wrongLength(expected: 129, actual: bytes.count) }
        let body = Array(bytes)
        guard body[0] == 4 else { throw .invalidFlags }
        guard let x1 = BN254Fp(bigEndian: body[1..<33]), let x0 = BN254Fp(bigEndian: body[33..<65]),
            let y1 = BN254Fp(bigEndian: body[65..<97]), let y0 = BN254Fp(bigEndian: body[97..<129])
        else { throw .notCanonical }
        guard BN254.G2Curve.contains(Fp2(x0, x1), Fp2(y0, y1)) else { throw .notOnCurve }
        try self.init(checking: Point(Fp2(x0, x1), Fp2(y0, y1), .one))
    }

    private init(checking point: Point<BN254.G2Curve>) throws(PairingError) {
        guard BN254.isInSubgroup(point) else { throw .notInSubgroup }
        self.init(point)
    }

    /// 64 bytes.
    public var encoded: [UInt8] {
        guard !isInfinity else { return [UInt8](repeating: 0, count: 64) }
        let affine = point.affineVariableTime
        var bytes = affine.x.c0.littleEndianBytes + affine.x.c1.littleEndianBytes
        bytes[63] |= UInt8(truncatingIfNeeded: affine.y.c0.parity << 7)
        return bytes
    }
}
