/// The little-endian encoding of herumi's libraries in their default mode: 32 bytes x, the top bit is the parity of y.
extension BN254.G1Point {
    /// Reads 32 bytes.
    ///
    /// - Throws: `.wrongLength`, `.notCanonical`, `.notOnCurve`, `.infinity`, and `.invalidFlags` for a lone parity bit.
    public init(encoded bytes: some Collection<UInt8>, allowingInfinity: Bool = false) throws(PairingError) {
        guard bytes.count == 32 else { throw .wrongLength(expected: 32, actual: bytes.count) }
        var body = Array(bytes)
        let isOdd = body[31] & 0x80 != 0
        body[31] &= 0x7f
        // No point has x = 0: 2 is not a square modulo p.
        if body.allSatisfy({ $0 == 0 }) {
            if isOdd { throw .invalidFlags }
            guard allowingInfinity else { throw .infinity }
            self = .infinity
            return
        }
        guard let x = BN254Fp(littleEndian: body) else { throw .notCanonical }
        try self.init(x: x, isOdd: isOdd)
    }

    /// Reads 04 || X || Y with 32-byte big-endian coordinates.
    ///
    /// - Throws: `.wrongLength`, `.invalidFlags` for another first byte, `.notCanonical`, `.notOnCurve`.
    public init(uncompressedBigEndian bytes: some Collection<UInt8>) throws(PairingError) {
        guard bytes.count == 65 else { throw .wrongLength(expected: 65, actual: bytes.count) }
        guard bytes.first == 4 else { throw .invalidFlags }
        guard let x = BN254Fp(bigEndian: bytes.dropFirst().prefix(32)), let y = BN254Fp(bigEndian: bytes.dropFirst(33))
        else { throw .notCanonical }
        guard BN254.G1Curve.contains(x, y) else { throw .notOnCurve }
        self.init(Point(x, y, .one))
    }

    private init(x: BN254Fp, isOdd: Bool) throws(PairingError) {
        guard let root = (x.squared * x + BN254.G1Curve.b).squareRoot else { throw .notOnCurve }
        // The cofactor is 1, so the curve equation is the whole check.
        self.init(Point(x, (root.parity != 0) == isOdd ? root : -root, .one))
    }

    /// 32 bytes.
    public var encoded: [UInt8] {
        guard !isInfinity else { return [UInt8](repeating: 0, count: 32) }
        let affine = point.affineVariableTime
        var bytes = affine.x.littleEndianBytes
        bytes[31] |= UInt8(truncatingIfNeeded: affine.y.parity << 7)
        return bytes
    }

    /// 04 || X || Y with 32-byte big-endian coordinates, the form PKCS #11 takes; nil for infinity.
    public var uncompressedBigEndian: [UInt8]? {
        guard !isInfinity else { return nil }
        let affine = point.affineVariableTime
        return [4] + affine.x.bigEndianBytes + affine.y.bigEndianBytes
    }
}
