/// The bases h₀ … hₙ of a public key and a number of messages; worth keeping, each costs a hash to the curve.
public struct BBSGenerators: Sendable {
    public let publicKey: BLS12381.PreparedPublicKey
    let blinding: Point<BLS12381.G1Curve>
    let messages: [Point<BLS12381.G1Curve>]

    static let tag = Array("BLS12381G1_XMD:BLAKE2B_SSWU_RO_BBS+_SIGNATURES:1_0_0".utf8)

    /// - Throws: `.invalidCount` unless 1 ... 65535; `.infinity` for that public key.
    public init(publicKey: BBSPlus.PublicKey, messageCount: Int) throws(PairingError) {
        guard (1...BBSPlus.maximumMessageCount).contains(messageCount) else { throw .invalidCount }
        guard !publicKey.isInfinity else { throw .infinity }
        self.publicKey = BLS12381.PreparedPublicKey(publicKey)
        let key = publicKey.uncompressed
        let count = Self.bigEndian(messageCount)
        blinding = try Self.point(key + [0] + Self.bigEndian(0) + [0] + count)
        var messages: [Point<BLS12381.G1Curve>] = []
        for index in 1...messageCount {
            messages.append(try Self.point(key + [0] + Self.bigEndian(index) + [0] + count))
        }
        self.messages = messages
    }

    public var messageCount: Int { messages.count }

    /// Hash to G1 with BLAKE2b-512 and the sign rule of draft 06.
    static func point(_ input: [UInt8]) throws(PairingError) -> Point<BLS12381.G1Curve> {
        try BLS12381.hashToG1(input, tag: tag, hash: .blake2b512, sign: .halves)
    }

    static func bigEndian(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}
