internal import CLibCrypto
internal import CSodium

/// A public key that verifies signatures.
///
/// - Concurrency: any thread; nothing in it changes.
public final class VerificationKey: Sendable {
    public let curve: SigningCurve
    /// 32 bytes for Ed25519, else 0x04 ‖ X ‖ Y.
    public let publicKey: [UInt8]
    /// Nil for Ed25519, whose verification needs nothing but the bytes.
    private let key: PKey?

    /// Takes a raw public key.
    ///
    /// - Throws: `.invalidInput` for a wrong length or form, a point that is not on the curve, and an Ed25519 point of small
    ///   order or outside the main subgroup.
    public convenience init(curve: SigningCurve, publicKey: [UInt8]) throws(LibCryptoError) {
        guard publicKey.count == curve.publicKeyLength else {
            throw LibCryptoError(
                .invalidInput, "A \(curve.rawValue) public key must have \(curve.publicKeyLength) bytes.")
        }
        if let group = curve.group {
            self.init(curve: curve, publicKey: publicKey, key: try PKey.publicOnly(group, publicKey))
        } else {
            try LibCrypto.prepare()
            guard crypto_core_ed25519_is_valid_point(publicKey) == 1 else {
                throw LibCryptoError(.invalidInput, "The Ed25519 public key is not a point of the main subgroup.")
            }
            self.init(curve: curve, publicKey: publicKey, key: nil)
        }
    }

    init(curve: SigningCurve, publicKey: [UInt8], key: PKey?) {
        self.curve = curve
        self.publicKey = publicKey
        self.key = key
    }

    /// SubjectPublicKeyInfo, DER (RFC 5280 §4.1, RFC 5480, RFC 8410).
    public var subjectPublicKeyInfo: [UInt8] {
        SubjectPublicKeyInfo.encode(curve: curve, publicKey: publicKey)
    }

    /// Tells whether a signature is this key's over the message. On secp256k1 a high s passes as well as a low one.
    ///
    /// - Parameters:
    ///   - signature: Any bytes. Malformed ones, BER that is not DER among them, are answered with false.
    ///   - message: The message itself; ECDSA hashes it with the curve's hash (``SigningCurve/digest(of:)``).
    ///   - encoding: Form of an ECDSA signature; Ed25519 has one form (64 bytes) and ignores it.
    /// - Throws: `.internalFailure` only.
    /// - Source: FIPS 186-5; RFC 8032.
    public func verify(
        _ signature: [UInt8], message: [UInt8], encoding: ECDSASignature.Encoding = .der
    ) throws(LibCryptoError) -> Bool {
        guard let digest = curve.digest else { return try verifyEdDSA(signature, message) }
        return try verify(signature, digest: try Digest.hash(message, digest), encoding: encoding)
    }

    /// ``verify(_:message:encoding:)`` for a message hashed already; false for Ed25519 and for a digest of a wrong length.
    public func verify(
        _ signature: [UInt8], digest: [UInt8], encoding: ECDSASignature.Encoding
    ) throws(LibCryptoError) -> Bool {
        guard let key, digest.count == curve.digest?.length else { return false }
        let der: [UInt8]
        switch encoding {
        case .der:
            guard ECDSASignature.p1363(fromDER: signature, curve: curve) != nil else { return false }
            der = signature
        case .p1363:
            guard let encoded = ECDSASignature.der(fromP1363: signature, curve: curve) else { return false }
            der = encoded
        }
        let context = try OpenSSL.check(
            "EVP_PKEY_CTX_new_from_pkey", EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try OpenSSL.check("EVP_PKEY_verify_init", EVP_PKEY_verify_init(context))
        return OpenSSL.holds(EVP_PKEY_verify(context, der, der.count, digest, digest.count))
    }

    /// libsodium takes half of OpenSSL's time here, and also refuses an R of small order.
    private func verifyEdDSA(_ signature: [UInt8], _ message: [UInt8]) throws(LibCryptoError) -> Bool {
        try LibCrypto.prepare()
        return signature.count == 64
            && crypto_sign_verify_detached(signature, message, UInt64(message.count), publicKey) == 0
    }
}
