/// The flag bits of the ZCash point encodings of BLS12-381, checked strictly.
struct ZCashEncoding {
    let isInfinity: Bool
    let isLarger: Bool
    /// The coordinates, flags removed.
    let body: [UInt8]

    init(_ bytes: some Collection<UInt8>, byteCount: Int, compressed: Bool) throws(PairingError) {
        guard bytes.count == byteCount else { throw .wrongLength(expected: byteCount, actual: bytes.count) }
        var body = Array(bytes)
        let flags = body[0] & 0xe0
        body[0] &= 0x1f
        guard (flags & 0x80 != 0) == compressed else { throw .invalidFlags }
        isInfinity = flags & 0x40 != 0
        isLarger = flags & 0x20 != 0
        // Infinity has one encoding; an uncompressed point carries its y and must not tell the sign as well.
        if isInfinity, isLarger || body.contains(where: { $0 != 0 }) { throw .invalidFlags }
        if !compressed, isLarger { throw .invalidFlags }
        self.body = body
    }

    static func infinity(byteCount: Int, compressed: Bool) -> [UInt8] {
        [compressed ? 0xc0 : 0x40] + [UInt8](repeating: 0, count: byteCount - 1)
    }
}
