/// A proof of knowledge of the exponents of a product over given bases: the commitment T and one response for each base.
struct BBSCommitment: Sendable, Equatable {
    let commitment: BLS12381.G1Point
    let responses: [BLS12381.Scalar]

    /// T = Σ blind·base, then z = blind - c·secret, all in constant time.
    struct Prover {
        let bases: [Point<BLS12381.G1Curve>]
        let secrets: [BLS12381Fr]
        let blinds: [BLS12381Fr]
        let commitment: BLS12381.G1Point

        init(
            bases: [Point<BLS12381.G1Curve>], secrets: [BLS12381Fr], from generator: BBSPlus.Generator
        ) throws {
            let blinds = try bases.map { _ in try BBSPlus.randomScalar(from: generator) }
            self.init(bases: bases, secrets: secrets, blinds: blinds)
        }

        init(bases: [Point<BLS12381.G1Curve>], secrets: [BLS12381Fr], blinds: [BLS12381Fr]) {
            self.bases = bases
            self.secrets = secrets
            self.blinds = blinds
            let sum = zip(bases, blinds).reduce(Point<BLS12381.G1Curve>.infinity) {
                $0 + BBSPlus.multiply($1.0, by: $1.1)
            }
            commitment = BLS12381.G1Point(Point(sum.affine))
        }

        func answer(_ challenge: BLS12381.Scalar) -> BBSCommitment {
            BBSCommitment(
                commitment: commitment,
                responses: zip(blinds, secrets).map { BLS12381.Scalar($0 - challenge.value * $1) })
        }
    }

    /// Whether Σ z·base + c·target = T.
    func holds(
        bases: [Point<BLS12381.G1Curve>], target: Point<BLS12381.G1Curve>, challenge: BLS12381.Scalar
    ) -> Bool {
        guard bases.count == responses.count else { return false }
        let terms = zip(bases, responses).map { ($0, $1.words) } + [(target, challenge.words)]
        return Point.sumVariableTime(terms) == commitment.point
    }

    /// Compressed T, number of responses (4 bytes), responses (32 bytes each).
    var encoded: [UInt8] {
        commitment.compressed + BBSGenerators.bigEndian(responses.count) + responses.flatMap(\.bigEndian)
    }

    static func byteCount(responses: Int) -> Int { 52 + 32 * responses }

    init(commitment: BLS12381.G1Point, responses: [BLS12381.Scalar]) {
        self.commitment = commitment
        self.responses = responses
    }

    /// - Throws: `.wrongLength`, `.invalidCount`, and the errors of points and scalars.
    init(encoded bytes: ArraySlice<UInt8>, responses count: Int) throws(PairingError) {
        let expected = Self.byteCount(responses: count)
        guard bytes.count == expected else { throw .wrongLength(expected: expected, actual: bytes.count) }
        guard Array(bytes.dropFirst(48).prefix(4)) == BBSGenerators.bigEndian(count) else { throw .invalidCount }
        commitment = try BLS12381.G1Point(compressed: bytes.prefix(48))
        var responses: [BLS12381.Scalar] = []
        for index in 0..<count {
            responses.append(try BLS12381.Scalar(bigEndian: bytes.dropFirst(52 + 32 * index).prefix(32)))
        }
        self.responses = responses
    }
}
