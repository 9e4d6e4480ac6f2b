internal import CLibCrypto

/// An RSA public key that verifies signatures.
///
/// - Concurrency: any thread, several at once.
public final class RSAVerificationKey: Sendable {
    /// Bits of the modulus that are taken.
    public static let bits = 2048...8192

    /// Big-endian, without leading zeros.
    public let modulus: [UInt8]
    /// Big-endian, without leading zeros.
    public let exponent: [UInt8]
    let key: PKey

    /// - Parameters:
    ///   - modulus: Big-endian; 2048 to 8192 bits and odd.
    ///   - exponent: Big-endian; odd, from 3 to 2^32.
    /// - Throws: `.invalidInput` for other numbers.
    public init(modulus: [UInt8], exponent: [UInt8]) throws(LibCryptoError) {
        let (modulus, exponent) = (Array(modulus.drop { $0 == 0 }), Array(exponent.drop { $0 == 0 }))
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard Self.bits.contains(bits) else {
            throw LibCryptoError(
                .invalidInput,
                "An RSA modulus must have \(Self.bits.lowerBound) to \(Self.bits.upperBound) bits; this one has \(bits)."
            )
        }
        guard let lowest = modulus.last, lowest & 1 == 1 else {
            throw LibCryptoError(.invalidInput, "An RSA modulus is an odd number.")
        }
        guard (1...4).contains(exponent.count), let last = exponent.last, last & 1 == 1, exponent != [1] else {
            throw LibCryptoError(.invalidInput, "An RSA exponent is an odd number from 3 to 2^32.")
        }
        (self.modulus, self.exponent) = (modulus, exponent)
        key = try PKey.rsaPublic(modulus: modulus, exponent: exponent)
    }

    /// Verifies RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2).
    ///
    /// - Returns: False for every other signature, and for one that is not as long as the modulus.
    public func verifyPKCS1(_ signature: [UInt8], message: [UInt8]) throws(LibCryptoError) -> Bool {
        guard signature.count == modulus.count else { return false }
        let digest = try Digest.sha256(message)
        let context = try OpenSSL.check(
            "EVP_PKEY_CTX_new_from_pkey", EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try OpenSSL.check("EVP_PKEY_verify_init", EVP_PKEY_verify_init(context))
        let parameters = [
            Parameter.text("pad-mode", "pkcs1"), Parameter.text("digest", "SHA2-256"), Parameter.end,
        ]
        try OpenSSL.check("EVP_PKEY_CTX_set_params", EVP_PKEY_CTX_set_params(context, parameters))
        return OpenSSL.holds(EVP_PKEY_verify(context, signature, signature.count, digest, digest.count))
    }
}
