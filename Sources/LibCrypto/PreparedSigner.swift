internal import CLibCrypto

/// A context initialised for signing with one key; setting one up costs a tenth of a P-256 signature.
///
/// @unchecked Sendable: the context is never used to sign. Each signature works on a duplicate, and duplicating takes the
/// source as `const`: it copies plain fields and raises atomic reference counts. Freed once, by `deinit`.
final class PreparedSigner: @unchecked Sendable {
    /// EVP_PKEY_CTX.
    private let template: OpaquePointer

    init(_ key: PKey) throws(LibCryptoError) {
        template = try OpenSSL.check(
            "EVP_PKEY_CTX_new_from_pkey", EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil))
        try OpenSSL.check("EVP_PKEY_sign_init", EVP_PKEY_sign_init(template))
    }

    deinit { EVP_PKEY_CTX_free(template) }

    /// An ECDSA signature over the hash of a message; `width` is the length of r and of s.
    func signDigest(
        of message: UnsafeRawBufferPointer, _ function: Digest.Function, width: Int,
        _ encoding: ECDSASignature.Encoding
    ) throws(LibCryptoError) -> [UInt8] {
        let digest = try [UInt8].filled(function.length) { output throws(LibCryptoError) in
            try Digest.hash(message, function, into: output)
        }
        return try sign(digest: digest, width: width, encoding)
    }

    /// An ECDSA signature over a hash.
    func sign(
        digest: [UInt8], width: Int, _ encoding: ECDSASignature.Encoding
    ) throws(LibCryptoError) -> [UInt8] {
        let context = try OpenSSL.check("EVP_PKEY_CTX_dup", EVP_PKEY_CTX_dup(template))
        defer { EVP_PKEY_CTX_free(context) }
        // Two INTEGERs with sign bytes and three headers at most.
        let capacity = 2 * (width + 1) + 9
        let der = try [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count throws(LibCryptoError) in
            var length = capacity
            try OpenSSL.check(
                "EVP_PKEY_sign", EVP_PKEY_sign(context, buffer.baseAddress, &length, digest, digest.count))
            count = length
        }
        if encoding == .der { return der }
        guard let fixed = der.withUnsafeBytes({ ECDSASignature.p1363(fromDER: $0, width: width) }) else {
            throw LibCryptoError(.internalFailure, "OpenSSL wrote a signature that is not DER.")
        }
        return fixed
    }
}
