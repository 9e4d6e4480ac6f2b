internal import CLibCrypto
public import SecretMemory

/// AES Key Wrap with the default initial value (RFC 3394, NIST SP 800-38F KW), and with padding (RFC 5649, KWP).
///
/// - Concurrency: any thread; the context lives for the call and is wiped when freed.
public enum AESKeyWrap {
    /// Longest key that is wrapped, in bytes.
    public static let longestKey = 1 << 16

    /// Wraps key bytes.
    ///
    /// - Parameters:
    ///   - key: A multiple of 8 bytes, 16 to ``longestKey``.
    ///   - wrappingKey: 16, 24 or 32 bytes.
    /// - Returns: `key.count + 8` bytes.
    /// - Throws: `.invalidInput` for a wrong length.
    public static func wrap(
        _ key: borrowing SecretBytes, under wrappingKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> [UInt8] {
        guard key.count % 8 == 0, (16...longestKey).contains(key.count) else {
            throw LibCryptoError(.invalidInput, "A key to wrap must have a multiple of 8 bytes, 16 at least.")
        }
        let cipher = try cipher(wrappingKey.count)
        return try key.withUnsafeBytes { key throws(LibCryptoError) in
            try wrappingKey.withUnsafeBytes { wrappingKey throws(LibCryptoError) in
                try [UInt8].filled(key.count + 8) { output throws(LibCryptoError) in
                    guard try run(cipher, wrappingKey, key, output, encrypting: 1) else {
                        throw LibCryptoError(.internalFailure, "AES key wrap failed.")
                    }
                }
            }
        }
    }

    /// Unwraps key bytes.
    ///
    /// - Throws: `.authenticationFailed` when the bytes were not wrapped under this key, whatever their length;
    ///   `.invalidInput` for a wrapping key of a wrong length.
    public static func unwrap(
        _ wrapped: [UInt8], under wrappingKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> SecretBytes {
        let cipher = try cipher(wrappingKey.count)
        guard wrapped.count % 8 == 0, (24...longestKey + 8).contains(wrapped.count) else { throw refused }
        return try wrappingKey.withUnsafeBytes { wrappingKey throws(LibCryptoError) in
            try wrapped.lend { wrapped throws(LibCryptoError) in
                try SecretBytes.filled(wrapped.count - 8) { output throws(LibCryptoError) in
                    guard try run(cipher, wrappingKey, wrapped, output, encrypting: 0) else { throw refused }
                }
            }
        }
    }

    /// Wraps key bytes of any length under 32 bytes, as PKCS #11 calls CKM_AES_KEY_WRAP_PAD.
    ///
    /// - Returns: The length of the key, rounded up to a multiple of 8, and 8 bytes more.
    /// - Throws: `.invalidInput` for a wrong length.
    public static func wrapPadded(
        _ key: borrowing SecretBytes, under wrappingKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> [UInt8] {
        guard wrappingKey.count == 32, (1...longestKey).contains(key.count) else {
            throw LibCryptoError(.invalidInput, "A key is wrapped with padding under 32 bytes and is not empty.")
        }
        let cipher = try OpenSSL.check("EVP_CIPHER_fetch", Algorithms.aes256WrapPad.pointer)
        return try key.withUnsafeBytes { key throws(LibCryptoError) in
            try wrappingKey.withUnsafeBytes { wrappingKey throws(LibCryptoError) in
                try [UInt8].filled((key.count + 7) / 8 * 8 + 8) { output throws(LibCryptoError) in
                    guard try run(cipher, wrappingKey, key, output, encrypting: 1) else {
                        throw LibCryptoError(.internalFailure, "AES key wrap with padding failed.")
                    }
                }
            }
        }
    }

    private static func cipher(_ length: Int) throws(LibCryptoError) -> OpaquePointer {
        let fetched =
            switch length {
            case 16: Algorithms.aes128Wrap
            case 24: Algorithms.aes192Wrap
            case 32: Algorithms.aes256Wrap
            default: throw LibCryptoError(.invalidInput, "A wrapping key must have 16, 24 or 32 bytes.")
            }
        return try OpenSSL.check("EVP_CIPHER_fetch", fetched.pointer)
    }

    /// Whether the cipher accepted the input. `output` has exactly the length that the operation writes.
    private static func run(
        _ cipher: OpaquePointer, _ key: UnsafeRawBufferPointer, _ input: UnsafeRawBufferPointer,
        _ output: UnsafeMutableRawBufferPointer, encrypting: Int32
    ) throws(LibCryptoError) -> Bool {
        let context = try OpenSSL.check("EVP_CIPHER_CTX_new", EVP_CIPHER_CTX_new())
        defer { EVP_CIPHER_CTX_free(context) }
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
        try OpenSSL.check(
            "EVP_CipherInit_ex2", EVP_CipherInit_ex2(context, cipher, key.bytes, nil, encrypting, nil))
        var written: Int32 = 0
        return OpenSSL.holds(EVP_CipherUpdate(context, output.bytes, &written, input.bytes, Int32(input.count)))
            && Int(written) == output.count
    }

    private static var refused: LibCryptoError {
        LibCryptoError(.authenticationFailed, "The wrapped key does not unwrap.")
    }
}
