/// BLS signatures over BLS12-381 with signatures in G1 (48 bytes) and public keys in G2 (96 bytes); secret keys are 32
/// bytes big-endian.
///
/// - Concurrency: pure functions; secrets are read in place from the caller's memory.
/// - Source: draft-irtf-cfrg-bls-signature; RFC 9380 for the hashing.
public enum BLSMinSig {
    public typealias Signature = BLS12381.G1Point
    public typealias PublicKey = BLS12381.G2Point

    /// The tag of the basic scheme.
    public static let basicTag = Array("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_".utf8)

    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    public static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey {
        try SecretScalar<BLS12381Fr>.check(secretKey, bigEndian: true)
        return publicKey(ofChecked: secretKey)
    }

    /// A message after its hashing to G1: worth keeping when one message is signed and verified several times. Secrets
    /// multiply only such points, never one that a caller chose.
    public struct HashedMessage: Sendable {
        public let point: BLS12381.G1Point

        /// - Throws: `.invalidHashInput` for an empty tag.
        public init(_ message: [UInt8], tag: [UInt8]) throws(PairingError) {
            point = try BLS12381.hashToG1(message, tag: tag)
        }
    }

    /// - Throws: as ``publicKey(of:)``.
    public static func sign(
        _ message: HashedMessage, secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try SecretScalar<BLS12381Fr>.check(secretKey, bigEndian: true)
        return sign(point: message.point, checkedKey: secretKey)
    }

    /// - Throws: as ``publicKey(of:)``, and `.invalidHashInput` for an empty tag.
    public static func sign(
        _ message: [UInt8], tag: [UInt8], secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> Signature {
        try sign(try HashedMessage(message, tag: tag), secretKey: secretKey)
    }

    /// e(S, G2) = e(H(m), pk), as one product of two pairings. False for a public key or signature at infinity.
    public static func verify(
        _ signature: Signature, message: HashedMessage, publicKey: BLS12381.PreparedPublicKey
    ) -> Bool {
        guard !publicKey.key.isInfinity, !signature.isInfinity else { return false }
        return BLS12381.productIsOne([
            (-signature.point.affineVariableTime, BLS12381.preparedGenerator),
            (message.point.point.affineVariableTime, publicKey.prepared),
        ])
    }

    /// As ``verify(_:message:publicKey:)`` for a message and a key used once.
    public static func verify(
        _ signature: Signature, message: [UInt8], tag: [UInt8], publicKey: PublicKey
    ) -> Bool {
        guard let hashed = try? HashedMessage(message, tag: tag) else { return false }
        return verify(signature, message: hashed, publicKey: BLS12381.PreparedPublicKey(publicKey))
    }

    /// Verifies an aggregate over several keys and messages; in the basic scheme the caller makes sure that the messages
    /// are distinct.
    public static func verifyAggregate(
        _ aggregate: Signature, of signed: [(message: [UInt8], publicKey: BLS12381.PreparedPublicKey)], tag: [UInt8]
    ) -> Bool {
        guard !signed.isEmpty, !aggregate.isInfinity else { return false }
        var pairs = [(-aggregate.point.affineVariableTime, BLS12381.preparedGenerator)]
        for entry in signed {
            guard !entry.publicKey.key.isInfinity, let point = try? BLS12381.hashToG1(entry.message, tag: tag)
            else { return false }
            pairs.append((point.point.affineVariableTime, entry.publicKey.prepared))
        }
        return BLS12381.productIsOne(pairs)
    }

    /// For secrets known to be in range; the constant-time harness enters here.
    package static func publicKey(ofChecked secretKey: UnsafeRawBufferPointer) -> PublicKey {
        SecretScalar<BLS12381Fr>.requireChecked(secretKey, bigEndian: true)
        return PublicKey(
            Point(Point<BLS12381.G2Curve>.generator.multiplied(bySecret: secretKey, bigEndian: true).affine))
    }

    /// As above. The result is normalised: a projective Z would give away something of the scalar.
    package static func sign(point: BLS12381.G1Point, checkedKey: UnsafeRawBufferPointer) -> Signature {
        SecretScalar<BLS12381Fr>.requireChecked(checkedKey, bigEndian: true)
        return Signature(Point(point.point.multiplied(bySecret: checkedKey, bigEndian: true).affine))
    }
}
