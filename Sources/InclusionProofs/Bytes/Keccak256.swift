/// Keccak-256 with the padding of Ethereum (01), which is not SHA3-256's (06). Public data only.
///
/// A ciphertext's handle is the hash of half a megabyte and the largest part of a decryption, so the state stays in local
/// variables and a round is written out.
///
/// Source: The Keccak reference 3.0; Keccak implementation overview 3.2, section 2.2 (complements); Ethereum Yellow Paper,
/// section 4.1.
public enum Keccak256 {
    private static let rate = 136

    private static let roundConstants: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
        0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]

    /// 32 bytes.
    public static func hash(_ data: some Collection<UInt8>) -> [UInt8] {
        if let hash = data.withContiguousStorageIfAvailable({ hash(UnsafeRawBufferPointer($0)) }) { return hash }
        return Array(data).withUnsafeBytes { hash($0) }
    }

    private static func hash(_ data: UnsafeRawBufferPointer) -> [UInt8] {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 25) { state in
            state.initialize(repeating: 0)
            let whole = data.count / rate * rate
            for start in stride(from: 0, to: whole, by: rate) {
                absorb(UnsafeRawBufferPointer(rebasing: data[start..<start + rate]), state)
            }
            withUnsafeTemporaryAllocation(byteCount: rate, alignment: 8) { last in
                last.initializeMemory(as: UInt8.self, repeating: 0)
                last.copyBytes(from: data[whole...])
                last[data.count - whole] = 0x01
                last[rate - 1] |= 0x80
                absorb(UnsafeRawBufferPointer(last), state)
            }
            return (0..<32).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> UInt64(8 * ($0 % 8))) }
        }
    }

    private static func absorb(_ block: UnsafeRawBufferPointer, _ state: UnsafeMutableBufferPointer<UInt64>) {
        for lane in 0..<rate / 8 {
            state[lane] ^= UInt64(littleEndian: block.loadUnaligned(fromByteOffset: 8 * lane, as: UInt64.self))
        }
        permute(state)
    }

    /// Lanes that are held as complements within a permutation.
    private static func complement(_ state: UnsafeMutableBufferPointer<UInt64>) {
        state[1] = ~state[1]
        state[2] = ~state[2]
        state[8] = ~state[8]
        state[12] = ~state[12]
        state[17] = ~state[17]
        state[20] = ~state[20]
    }

    /// Lanes by row, `a` to `e`, and column.
    private static func permute(_ state: UnsafeMutableBufferPointer<UInt64>) {
        complement(state)
        var (a0, a1, a2, a3, a4) = (state[0], state[1], state[2], state[3], state[4])
        var (b0, b1, b2, b3, b4) = (state[5], state[6], state[7], state[8], state[9])
        var (c0, c1, c2, c3, c4) = (state[10], state[11], state[12], state[13], state[14])
        var (d0, d1, d2, d3, d4) = (state[15], state[16], state[17], state[18], state[19])
        var (e0, e1, e2, e3, e4) = (state[20], state[21], state[22], state[23], state[24])
        for constant in roundConstants {
            // Theta.
            let (p0, p1, p2) = (a0 ^ b0 ^ c0 ^ d0 ^ e0, a1 ^ b1 ^ c1 ^ d1 ^ e1, a2 ^ b2 ^ c2 ^ d2 ^ e2)
            let (p3, p4) = (a3 ^ b3 ^ c3 ^ d3 ^ e3, a4 ^ b4 ^ c4 ^ d4 ^ e4)
            let (t0, t1, t2) = (p4 ^ turn(p1, 1), p0 ^ turn(p2, 1), p1 ^ turn(p3, 1))
            let (t3, t4) = (p2 ^ turn(p4, 1), p3 ^ turn(p0, 1))
            // Rho and pi say which lanes come together, and how far they are turned.
            let (v0, w0, x0, y0, z0) = (
                a0 ^ t0, turn(b1 ^ t1, 44), turn(c2 ^ t2, 43), turn(d3 ^ t3, 21), turn(e4 ^ t4, 14)
            )
            let (v1, w1, x1, y1, z1) = (
                turn(a3 ^ t3, 28), turn(b4 ^ t4, 20), turn(c0 ^ t0, 3), turn(d1 ^ t1, 45), turn(e2 ^ t2, 61)
            )
            let (v2, w2, x2, y2, z2) = (
                turn(a1 ^ t1, 1), turn(b2 ^ t2, 6), turn(c3 ^ t3, 25), turn(d4 ^ t4, 8), turn(e0 ^ t0, 18)
            )
            let (v3, w3, x3, y3, z3) = (
                turn(a4 ^ t4, 27), turn(b0 ^ t0, 36), turn(c1 ^ t1, 10), turn(d2 ^ t2, 15), turn(e3 ^ t3, 56)
            )
            let (v4, w4, x4, y4, z4) = (
                turn(a2 ^ t2, 62), turn(b3 ^ t3, 55), turn(c4 ^ t4, 39), turn(d0 ^ t0, 41), turn(e1 ^ t1, 2)
            )
            // Chi, x ^ (~y & z) for each lane. Where a lane is its complement, it is after the round again, and of 25
            // complements eight are left.
            (a0, a1, a2, a3, a4) = (v0 ^ (w0 | x0), w0 ^ (~x0 | y0), x0 ^ (y0 & z0), y0 ^ (z0 | v0), z0 ^ (v0 & w0))
            (b0, b1, b2, b3, b4) = (v1 ^ (w1 | x1), w1 ^ (x1 & y1), x1 ^ (y1 | ~z1), y1 ^ (z1 | v1), z1 ^ (v1 & w1))
            (c0, c1, c2, c3, c4) = (v2 ^ (w2 | x2), w2 ^ (x2 & y2), x2 ^ (~y2 & z2), ~y2 ^ (z2 | v2), z2 ^ (v2 & w2))
            (d0, d1, d2, d3, d4) = (v3 ^ (w3 & x3), w3 ^ (x3 | y3), x3 ^ (~y3 | z3), ~y3 ^ (z3 & v3), z3 ^ (v3 | w3))
            (e0, e1, e2, e3, e4) = (v4 ^ (~w4 & x4), ~w4 ^ (x4 | y4), x4 ^ (y4 & z4), y4 ^ (z4 | v4), z4 ^ (v4 & w4))
            a0 ^= constant
        }
        (state[0], state[1], state[2], state[3], state[4]) = (a0, a1, a2, a3, a4)
        (state[5], state[6], state[7], state[8], state[9]) = (b0, b1, b2, b3, b4)
        (state[10], state[11], state[12], state[13], state[14]) = (c0, c1, c2, c3, c4)
        (state[15], state[16], state[17], state[18], state[19]) = (d0, d1, d2, d3, d4)
        (state[20], state[21], state[22], state[23], state[24]) = (e0, e1, e2, e3, e4)
        complement(state)
    }

    private static func turn(_ lane: UInt64, _ by: UInt64) -> UInt64 { lane &<< by | lane &>> (64 &- by) }
}
