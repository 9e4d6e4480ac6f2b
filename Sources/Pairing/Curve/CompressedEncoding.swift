/// Compressed points whose coordinates leave no bit free for flags: 02 or 03 by the parity of y, then x big-endian
/// (SEC 1, section 2.3.3). Infinity is all zero bytes.
struct CompressedEncoding {
    let isOdd: Bool
    /// x.
    let body: [UInt8]

    /// - Throws: `.wrongLength`, `.infinity`, and `.invalidFlags` for another first byte.
    init(_ bytes: some Collection<UInt8>, byteCount: Int) throws(PairingError) {
        guard bytes.count == byteCount else { throw .wrongLength(expected: byteCount, actual: bytes.count) }
        let body = Array(bytes)
        guard body.contains(where: { $0 != 0 }) else { throw .infinity }
        guard body[0] == 2 || body[0] == 3 else { throw .invalidFlags }
        isOdd = body[0] == 3
        self.body = Array(body.dropFirst())
    }

    static func bytes(x: [UInt8], yParity: UInt64) -> [UInt8] { [2 | UInt8(truncatingIfNeeded: yParity)] + x }
}
