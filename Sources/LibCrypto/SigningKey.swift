internal import CLibCrypto
public import SecretMemory

/// A private signing key, held ready with its numbers in locked memory, wiped with the last reference.
///
/// - Concurrency: any thread, several at once, without a lock: each ECDSA signature duplicates a prepared context, and
///   Ed25519 needs none.
public final class SigningKey: Sendable {
    /// The public half.
    public let verificationKey: VerificationKey
    public var curve: SigningCurve { verificationKey.curve }
    /// 32 bytes for Ed25519, else 0x04 ‖ X ‖ Y.
    public var publicKey: [UInt8] { verificationKey.publicKey }
    /// SubjectPublicKeyInfo, DER.
    public var subjectPublicKeyInfo: [UInt8] { verificationKey.subjectPublicKeyInfo }

    private let backing: Backing

    private enum Backing: Sendable {
        case weierstrass(PKey, PreparedSigner)
        case edwards(Ed25519Signer)
    }

    /// Takes a raw private key.
    ///
    /// - Parameter privateKey: Exactly `curve.privateKeyLength` bytes: an Ed25519 seed or a big-endian scalar.
    /// - Throws: `.invalidInput` for a wrong length or a scalar out of range; `.capacityExceeded` when the locked memory
    ///   for keys is full.
    public init(curve: SigningCurve, privateKey: borrowing SecretBytes) throws(LibCryptoError) {
        try LibCrypto.admitKey()
        guard privateKey.count == curve.privateKeyLength else {
            throw LibCryptoError(
                .invalidInput, "A \(curve.rawValue) private key must have \(curve.privateKeyLength) bytes.")
        }
        if let group = curve.group {
            let scalar = try privateKey.withUnsafeBytes { bytes throws(LibCryptoError) in
                try SecretScalar.reading(bytes, in: group)
            }
            let publicKey = try scalar.publicPoint()
            let key = try PKey.pair(group, scalar, publicPoint: publicKey)
            verificationKey = VerificationKey(curve: curve, publicKey: publicKey, key: key)
            backing = .weierstrass(key, try PreparedSigner(key))
        } else {
            let signer = try privateKey.withUnsafeBytes { bytes throws(LibCryptoError) in
                try Ed25519Signer(seed: bytes)
            }
            verificationKey = VerificationKey(curve: curve, publicKey: signer.publicKey, key: nil)
            backing = .edwards(signer)
        }
    }

    /// Makes a key from the kernel's generator; scalars by rejection (FIPS 186-5 A.2.2), so without bias.
    public static func generate(_ curve: SigningCurve) throws(LibCryptoError) -> SigningKey {
        for _ in 0..<64 {
            let candidate = try SecretBytes.filled(curve.privateKeyLength) { output throws(LibCryptoError) in
                try Random.fill(output)
                if let group = curve.group { output[0] &= group.topByteMask }
            }
            do throws(LibCryptoError) {
                return try SigningKey(curve: curve, privateKey: candidate)
            } catch  where error.code == .invalidInput {
                // Out of range, which is rarer than one draw in 2^32 on all these curves.
                continue
            }
        }
        throw LibCryptoError(.internalFailure, "The kernel's generator gives no usable scalar.")
    }

    /// The raw private key in locked memory, `curve.privateKeyLength` bytes.
    public func privateKey() throws(LibCryptoError) -> SecretBytes {
        try SecretBytes.filled(curve.privateKeyLength) { output throws(LibCryptoError) in
            switch backing {
            case .weierstrass(let key, _): try key.copyScalar(into: output)
            case .edwards(let signer): signer.copySeed(into: output)
            }
        }
    }

    /// The X25519 private key that NaCl derives from an Ed25519 key, in locked memory, 32 bytes.
    ///
    /// - Throws: `.invalidInput` for a key on another curve.
    public func x25519PrivateKey() throws(LibCryptoError) -> SecretBytes {
        guard case .edwards(let signer) = backing else {
            throw LibCryptoError(.invalidInput, "Only an Ed25519 key has an X25519 form.")
        }
        return try SecretBytes.filled(32) { output throws(LibCryptoError) in try signer.copyAgreementKey(into: output) }
    }

    /// Signs a message.
    ///
    /// - Parameters:
    ///   - message: The message itself; ECDSA hashes it with the curve's hash (``SigningCurve/digest(of:)``).
    ///   - encoding: Form of an ECDSA signature; Ed25519 has one form (64 bytes) and ignores it.
    /// On secp256k1 s is at most half the order, in both encodings; see ``ECDSASignature/lowS(_:curve:)``.
    ///
    /// - Throws: `.internalFailure` only.
    /// - Source: FIPS 186-5 (ECDSA with a random nonce, Ed25519); RFC 8032 (pure Ed25519).
    public func sign(
        _ message: [UInt8], encoding: ECDSASignature.Encoding = .der
    ) throws(LibCryptoError) -> [UInt8] {
        try message.lend { message throws(LibCryptoError) in
            switch backing {
            case .edwards(let signer): return try signer.sign(message)
            case .weierstrass(_, let signer):
                guard let digest = curve.digest else { throw LibCryptoError(.internalFailure, "A curve has no hash.") }
                guard curve == .secp256k1 else {
                    return try signer.signDigest(of: message, digest, width: curve.privateKeyLength, encoding)
                }
                return try Self.low(
                    try signer.signDigest(of: message, digest, width: curve.privateKeyLength, .p1363), encoding)
            }
        }
    }

    /// Signs what was hashed already; ECDSA only.
    ///
    /// - Parameter digest: As long as the curve's own hash.
    /// - Returns: r ‖ s, on secp256k1 with the lower s.
    public func sign(digest: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        guard case .weierstrass(_, let signer) = backing, digest.count == curve.digest?.length else {
            throw LibCryptoError(.invalidInput, "What is to be signed is no digest of this curve.")
        }
        let signature = try signer.sign(digest: digest, width: curve.privateKeyLength, .p1363)
        return curve == .secp256k1 ? ECDSASignature.lowS(signature, curve: .secp256k1) : signature
    }

    private static func low(
        _ signature: [UInt8], _ encoding: ECDSASignature.Encoding
    ) throws(LibCryptoError) -> [UInt8] {
        let low = ECDSASignature.lowS(signature, curve: .secp256k1)
        if encoding == .p1363 { return low }
        guard let der = ECDSASignature.der(fromP1363: low, curve: .secp256k1) else {
            throw LibCryptoError(.internalFailure, "OpenSSL wrote a signature with a zero number.")
        }
        return der
    }

    /// ``VerificationKey/verify(_:message:encoding:)`` with the public half.
    public func verify(
        _ signature: [UInt8], message: [UInt8], encoding: ECDSASignature.Encoding = .der
    ) throws(LibCryptoError) -> Bool {
        try verificationKey.verify(signature, message: message, encoding: encoding)
    }
}
