internal import CLibCrypto
public import SecretMemory

/// Paddings of RSA encryption (RFC 8017, 7).
public enum RSAPadding: Sendable, CaseIterable {
    /// RSAES-OAEP, MGF1 with the same hash, no label.
    case oaepSHA256
    case oaepSHA1
    /// RSAES-PKCS1-v1_5: for keys whose token has nothing better, and for challenges only.
    case pkcs1
}

extension RSAVerificationKey {
    /// Encrypts a public challenge, by which the owner of the private key shows itself.
    ///
    /// - Parameter challenge: At most 128 bytes; no secret, since it lies in ordinary memory.
    /// - Returns: As many bytes as the modulus has.
    /// - Throws: `.internalFailure` only.
    public func encrypt(_ challenge: [UInt8], padding: RSAPadding) throws(LibCryptoError) -> [UInt8] {
        try challenge.lend { challenge throws(LibCryptoError) in try encrypt(bytes: challenge, padding: padding) }
    }

    /// Encrypts a secret by RSAES-OAEP.
    ///
    /// - Parameters:
    ///   - secret: At most 128 bytes.
    ///   - padding: Not `.pkcs1`, which no secret is to depend on.
    /// - Returns: As many bytes as the modulus has.
    /// - Throws: `.internalFailure` only.
    public func encrypt(
        secret: borrowing SecretBytes, padding: RSAPadding
    ) throws(LibCryptoError) -> [UInt8] {
        precondition(padding != .pkcs1, "secrets are encrypted by OAEP")
        return try secret.withUnsafeBytes { secret throws(LibCryptoError) in
            try encrypt(bytes: secret, padding: padding)
        }
    }

    private func encrypt(
        bytes input: UnsafeRawBufferPointer, padding: RSAPadding
    ) throws(LibCryptoError) -> [UInt8] {
        precondition(input.count <= 128, "what is encrypted fits under every modulus that is taken")
        let context = try OpenSSL.check(
            "EVP_PKEY_CTX_new_from_pkey", EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try OpenSSL.check("EVP_PKEY_encrypt_init", EVP_PKEY_encrypt_init(context))
        let parameters: [OSSL_PARAM] =
            switch padding {
            case .pkcs1: [Parameter.text("pad-mode", "pkcs1"), Parameter.end]
            case .oaepSHA256:
                [
                    Parameter.text("pad-mode", "oaep"), Parameter.text("digest", "SHA2-256"),
                    Parameter.text("mgf1-digest", "SHA2-256"), Parameter.end,
                ]
            case .oaepSHA1:
                [
                    Parameter.text("pad-mode", "oaep"), Parameter.text("digest", "SHA1"),
                    Parameter.text("mgf1-digest", "SHA1"), Parameter.end,
                ]
            }
        try OpenSSL.check("EVP_PKEY_CTX_set_params", EVP_PKEY_CTX_set_params(context, parameters))
        var output = [UInt8](repeating: 0, count: modulus.count)
        var length = output.count
        try OpenSSL.check(
            "EVP_PKEY_encrypt", EVP_PKEY_encrypt(context, &output, &length, input.bytes, input.count))
        guard length == output.count else { throw LibCryptoError(.internalFailure, "RSA gave \(length) bytes.") }
        return output
    }
}
