/// BLS signatures over CurveFp254BNb, compatible with 0Chain: signatures in G1, public keys in G2, secret keys 32 bytes
/// little-endian, messages hashed without a tag.
///
/// - Concurrency: pure functions; secrets are read in place from the caller's memory.
/// - Source: herumi's bls library in its default mode, as 0Chain uses it.
public enum BLS0Chain {
    public typealias Signature = BN254.G1Point
    public typealias PublicKey = BN254.G2Point

    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    public static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey {
        try SecretScalar<BN254Fr>.check(secretKey, bigEndian: false)
        return publicKey(ofChecked: secretKey)
    }

    /// A message after its hashing to G1: worth keeping when one message is signed and verified several times. Secrets
    /// multiply only such points, never one that a caller chose.
    public struct HashedMessage: Sendable {
        public let point: BN254.G1Point

        /// - Throws: `.invalidHashInput` where the map is undefined, which no known message reaches.
        public init(_ message: [UInt8]) throws(PairingError) { point = try BN254.hashToG1(message) }
    }

    /// - Throws: as ``publicKey(of:)``.
    public static func sign(
        _ message: HashedMessage, secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try SecretScalar<BN254Fr>.check(secretKey, bigEndian: false)
        return sign(point: message.point, checkedKey: secretKey)
    }

    /// - Throws: as ``publicKey(of:)``.
    public static func sign(
        _ message: [UInt8], secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try sign(try HashedMessage(message), secretKey: secretKey)
    }

    /// e(S, Q) = e(H(m), pk), as one product of two pairings. False for a public key or signature at infinity.
    public static func verify(
        _ signature: Signature, message: HashedMessage, publicKey: BN254.PreparedPublicKey
    ) -> Bool {
        guard !publicKey.key.isInfinity, !signature.isInfinity else { return false }
        return BN254.productIsOne([
            (-signature.point.affineVariableTime, BN254.preparedGenerator),
            (message.point.point.affineVariableTime, publicKey.prepared),
        ])
    }

    /// As ``verify(_:message:publicKey:)`` for a message and a key used once.
    public static func verify(_ signature: Signature, message: [UInt8], publicKey: PublicKey) -> Bool {
        guard let hashed = try? HashedMessage(message) else { return false }
        return verify(signature, message: hashed, publicKey: BN254.PreparedPublicKey(publicKey))
    }

    /// Verifies several signatures on one message, each by its own key, with one product of two pairings: a random
    /// combination of the equations. A wrong signature passes with a probability of 2^-64 at most.
    ///
    /// - Parameter generator: 8 unpredictable bytes are asked for each signature; the signers must not foresee them.
    /// - Throws: what `generator` throws.
    public static func verifyEach(
        _ signed: [(signature: Signature, publicKey: PublicKey)], message: HashedMessage,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard !signed.isEmpty, !signed.contains(where: { $0.signature.isInfinity || $0.publicKey.isInfinity }) else {
            return false
        }
        var factors: [[UInt64]] = []
        for _ in signed {
            var factor: UInt64 = 0
            try withUnsafeMutableBytes(of: &factor) { try generator($0) }
            factors.append([factor])
        }
        let signature = Point.sumVariableTime(zip(signed, factors).map { ($0.signature.point, $1) })
        let key = Point.sumVariableTime(zip(signed, factors).map { ($0.publicKey.point, $1) })
        return BN254.productIsOne([
            (-signature.affineVariableTime, BN254.preparedGenerator),
            (message.point.point.affineVariableTime, PreparedG2(key.affineVariableTime)),
        ])
    }

    /// For secrets known to be in range; the constant-time harness enters here.
    package static func publicKey(ofChecked secretKey: UnsafeRawBufferPointer) -> PublicKey {
        SecretScalar<BN254Fr>.requireChecked(secretKey, bigEndian: false)
        return PublicKey(Point(Point<BN254.G2Curve>.generator.multiplied(bySecret: secretKey, bigEndian: false).affine))
    }

    /// As above. The result is normalised: a projective Z would give away something of the scalar.
    package static func sign(point: BN254.G1Point, checkedKey: UnsafeRawBufferPointer) -> Signature {
        SecretScalar<BN254Fr>.requireChecked(checkedKey, bigEndian: false)
        return Signature(Point(point.point.multiplied(bySecret: checkedKey, bigEndian: false).affine))
    }
}
