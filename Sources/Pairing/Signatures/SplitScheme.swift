/// A BLS scheme whose secret keys are split into summands: signatures in G1, public keys in G2, secrets of 32 bytes.
///
/// What wallets and split keys compute is here once, over encoded points; a scheme gives its arithmetic. Each scheme is one
/// file: a new one conforms there, and takes a row in the table of whoever offers it.
///
/// - Concurrency: pure functions; secrets are read in place from the caller's memory.
package protocol SplitScheme: SendableMetatype {
    associatedtype Signature: EncodedPoint
    associatedtype PublicKey: EncodedPoint
    /// A public key with the lines of its Miller loop.
    associatedtype PreparedPublicKey: Sendable
    /// A message after its hashing to G1. Secrets multiply only such points, never one that a caller chose.
    associatedtype HashedMessage: Sendable

    /// As APIs, files and commands name it.
    static var suiteName: String { get }
    /// In bytes.
    static var publicKeyLength: Int { get }
    /// In bytes.
    static var signatureLength: Int { get }

    /// Writes a fresh secret key.
    ///
    /// - Parameter generator: fills the buffer with unpredictable bytes (64 are asked for).
    static func generateSecretKey(
        into output: UnsafeMutableRawBufferPointer, from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws

    /// Writes `count` shares of 32 bytes that add up to the key; none is 0.
    static func split(
        _ secretKey: UnsafeRawBufferPointer, count: Int, into shares: UnsafeMutableRawBufferPointer,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws

    /// Writes x - y modulo r.
    static func subtract(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError)

    /// - Throws: `.wrongLength` or `.scalarOutOfRange` for anything but 32 bytes in 1 ..< r.
    static func publicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> PublicKey

    static func prepare(_ publicKey: PublicKey) -> PreparedPublicKey

    /// What a signature of a split key is over.
    ///
    /// - Parameter purpose: Keeps a message from passing for a transaction, in schemes that have room for it.
    static func hashed(_ payload: [UInt8], purpose: String) throws(PairingError) -> HashedMessage

    /// - Throws: as ``publicKey(of:)``.
    static func sign(_ message: HashedMessage, secretKey: UnsafeRawBufferPointer) throws(PairingError) -> Signature

    /// Whether the signature is one of the key. False for a public key or signature at infinity.
    static func verify(_ signature: Signature, message: HashedMessage, publicKey: PreparedPublicKey) -> Bool
}

/// A point of a subgroup in the encoding that its scheme uses.
package protocol EncodedPoint: Sendable {
    /// - Throws: for what is not the one encoding of a point of the subgroup other than infinity.
    init(encoding: [UInt8]) throws(PairingError)
    var encoding: [UInt8] { get }
    var isInfinity: Bool { get }
    static func + (x: Self, y: Self) -> Self
}

extension SplitScheme {
    /// What the signatures of schemes other than 0Chain's are over: the purpose keeps a message from passing for a
    /// transaction.
    package static func splitMessage(purpose: String, _ payload: [UInt8]) -> [UInt8] {
        Array("kms-split/v1/\(purpose)".utf8) + [0] + payload
    }

    /// The encoded public key; throws as ``publicKey(of:)``.
    package static func encodedPublicKey(of secretKey: UnsafeRawBufferPointer) throws(PairingError) -> [UInt8] {
        try publicKey(of: secretKey).encoding
    }

    /// Refuses what is not the encoding of a point of the subgroup other than infinity.
    package static func checkPublicKey(_ bytes: [UInt8]) throws(PairingError) { _ = try PublicKey(encoding: bytes) }

    /// The sum of encoded public keys.
    package static func sum(_ first: [UInt8], _ others: [[UInt8]]) throws(PairingError) -> [UInt8] {
        var sum = try PublicKey(encoding: first)
        for other in others { sum = sum + (try PublicKey(encoding: other)) }
        return sum.encoding
    }

    /// The encoded signature.
    package static func sign(
        _ payload: [UInt8], purpose: String, secretKey: UnsafeRawBufferPointer
    ) throws(PairingError) -> [UInt8] {
        try sign(try hashed(payload, purpose: purpose), secretKey: secretKey).encoding
    }

    /// Whether the encoded signature is one of the encoded key.
    package static func verify(
        _ signature: [UInt8], _ payload: [UInt8], purpose: String, publicKey: [UInt8]
    ) throws(PairingError) -> Bool {
        let signature = try Signature(encoding: signature)
        let message = try hashed(payload, purpose: purpose)
        return verify(signature, message: message, publicKey: prepare(try PublicKey(encoding: publicKey)))
    }

    /// The same encoded signature, if it is one.
    package static func checkedSignature(_ bytes: [UInt8]) throws(PairingError) -> [UInt8] {
        try Signature(encoding: bytes).encoding
    }

    /// The sum of two encoded signatures; nil if they cancel out.
    package static func signatureSum(_ x: [UInt8], _ y: [UInt8]) throws(PairingError) -> [UInt8]? {
        let sum = try Signature(encoding: x) + Signature(encoding: y)
        return sum.isInfinity ? nil : sum.encoding
    }
}
