internal import CLibCrypto

/// A context initialised for signing with one key; setting one up costs a tenth of a P-256 signature.
///
/// @unchecked Sendable: the context is never used to sign. Each signature works on a duplicate, and duplicating takes the
/// source as `const`: it copies plain fields and raises atomic reference counts. Freed once, by `deinit`.
final class PreparedSigner: @unchecked Sendable {
    private enum Template {
        /// EVP_PKEY_CTX, for keys that sign a digest.
        case digest(OpaquePointer)
        /// EVP_MD_CTX, for keys that hash by themselves.
        case message(OpaquePointer)
    }

    private let template: Template

    init(_ key: PKey, hashesItself: Bool) throws(LibCryptoError) {
        if hashesItself {
            let context = try OpenSSL.check("EVP_MD_CTX_new", EVP_MD_CTX_new())
            template = .message(context)
            try OpenSSL.check(
                "EVP_DigestSignInit_ex", EVP_DigestSignInit_ex(context, nil, nil, nil, nil, key.pointer, nil))
        } else {
            let context = try OpenSSL.check(
                "EVP_PKEY_CTX_new_from_pkey", EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil))
            template = .digest(context)
            try OpenSSL.check("EVP_PKEY_sign_init", EVP_PKEY_sign_init(context))
        }
    }

    deinit {
        switch template {
        case .digest(let context): EVP_PKEY_CTX_free(context)
        case .message(let context): EVP_MD_CTX_free(context)
        }
    }

    /// An Ed25519 signature, 64 bytes.
    func signMessage(_ message: UnsafeRawBufferPointer) throws(LibCryptoError) -> [UInt8] {
        guard case .message(let template) = template else { preconditionFailure("this key signs digests") }
        let context = try OpenSSL.check("EVP_MD_CTX_new", EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        try OpenSSL.check("EVP_MD_CTX_copy_ex", EVP_MD_CTX_copy_ex(context, template))
        return try [UInt8].filled(64) { output throws(LibCryptoError) in
            var length = output.count
            try OpenSSL.check(
                "EVP_DigestSign", EVP_DigestSign(context, output.bytes, &length, message.bytes, message.count))
            try OpenSSL.check("EVP_DigestSign", length == output.count ? 1 : 0)
        }
    }

    /// An ECDSA signature over the hash of a message; `width` is the length of r and of s.
    func signDigest(
        of message: UnsafeRawBufferPointer, _ function: Digest.Function, width: Int,
        _ encoding: ECDSASignature.Encoding
    ) throws(LibCryptoError) -> [UInt8] {
        guard case .digest(let template) = template else { preconditionFailure("this key hashes by itself") }
        let context = try OpenSSL.check("EVP_PKEY_CTX_dup", EVP_PKEY_CTX_dup(template))
        defer { EVP_PKEY_CTX_free(context) }
        let digest = try [UInt8].filled(function.length) { output throws(LibCryptoError) in
            try Digest.hash(message, function, into: output)
        }
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
