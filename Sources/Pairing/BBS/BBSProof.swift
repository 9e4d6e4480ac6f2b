/// A proof that someone holds a signature on a list of messages, some of which are shown.
///
/// Bytes: message count (2); a bit field of count/8 + 1 bytes, bit i set when message i is revealed, bit 0 the lowest of
/// the last byte; compressed A', Ā and d (48 each); the length of the first commitment (4); both commitments.
public struct BBSProof: Sendable, Equatable {
    /// How many messages the signature covers.
    public let messageCount: Int
    /// Indexes of the revealed messages, from 0, ascending.
    public let revealed: [Int]
    let aPrime: BLS12381.G1Point
    let aBar: BLS12381.G1Point
    let d: BLS12381.G1Point
    let first: BBSCommitment
    let second: BBSCommitment

    init(
        messageCount: Int, revealed: [Int], points: [BLS12381.G1Point], first: BBSCommitment, second: BBSCommitment
    ) {
        self.messageCount = messageCount
        self.revealed = revealed
        aPrime = points[0]
        aBar = points[1]
        d = points[2]
        self.first = first
        self.second = second
    }

    /// - Throws: `.wrongLength`, `.invalidCount` for counts that contradict each other, `.invalidFlags` for bits beyond
    ///   the message count, and the errors of points and scalars.
    public init(encoded bytes: [UInt8]) throws(PairingError) {
        guard bytes.count >= 2 else { throw .wrongLength(expected: 2, actual: bytes.count) }
        messageCount = Int(bytes[0]) << 8 | Int(bytes[1])
        guard messageCount > 0 else { throw .invalidCount }
        let fieldEnd = 2 + messageCount / 8 + 1
        guard bytes.count > fieldEnd else { throw .wrongLength(expected: fieldEnd + 1, actual: bytes.count) }
        var revealed: [Int] = []
        for bit in 0..<(8 * (messageCount / 8 + 1)) where (bytes[fieldEnd - 1 - bit / 8] >> UInt8(bit % 8)) & 1 != 0 {
            guard bit < messageCount else { throw .invalidFlags }
            revealed.append(bit)
        }
        self.revealed = revealed
        let hidden = messageCount - revealed.count
        let firstCount = BBSCommitment.byteCount(responses: 2)
        let expected = fieldEnd + 148 + firstCount + BBSCommitment.byteCount(responses: 2 + hidden)
        guard bytes.count == expected else { throw .wrongLength(expected: expected, actual: bytes.count) }
        let body = bytes[fieldEnd...]
        aPrime = try BLS12381.G1Point(compressed: body.prefix(48))
        aBar = try BLS12381.G1Point(compressed: body.dropFirst(48).prefix(48))
        d = try BLS12381.G1Point(compressed: body.dropFirst(96).prefix(48))
        guard Array(body.dropFirst(144).prefix(4)) == BBSGenerators.bigEndian(firstCount) else { throw .invalidCount }
        first = try BBSCommitment(encoded: body.dropFirst(148).prefix(firstCount), responses: 2)
        second = try BBSCommitment(encoded: body.dropFirst(148 + firstCount), responses: 2 + hidden)
    }

    public var encoded: [UInt8] {
        var field = [UInt8](repeating: 0, count: messageCount / 8 + 1)
        for index in revealed { field[field.count - 1 - index / 8] |= 1 << UInt8(index % 8) }
        let first = self.first.encoded
        return [UInt8(messageCount >> 8), UInt8(messageCount & 0xff)] + field
            + aPrime.compressed + aBar.compressed + d.compressed
            + BBSGenerators.bigEndian(first.count) + first + second.encoded
    }

    /// Fiat-Shamir over every base and commitment, and the hashed nonce.
    static func challenge(
        points: [BLS12381.G1Point], first: BLS12381.G1Point, second: BLS12381.G1Point,
        hiddenBases: [Point<BLS12381.G1Curve>], generators: BBSGenerators, nonce: [UInt8]
    ) -> BLS12381.Scalar {
        let h0 = BLS12381.G1Point(generators.blinding).uncompressed
        var input = points[1].uncompressed + points[0].uncompressed + h0 + first.uncompressed
        input += points[2].uncompressed + h0
        for base in hiddenBases { input += BLS12381.G1Point(base).uncompressed }
        input += second.uncompressed + BBSPlus.hashToScalar(nonce).bigEndian
        return BBSPlus.hashToScalar(input)
    }
}
