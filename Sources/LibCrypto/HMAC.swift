internal import CLibCrypto
public import SecretMemory

/// HMAC (RFC 2104, FIPS 198-1).
public enum HMAC {
    /// HMAC-SHA-256 of whole data.
    ///
    /// - Parameter key: 1 byte or more.
    /// - Returns: 32 bytes. Compare with `ConstantTime.equal`.
    /// - Throws: `.invalidInput` for an empty key.
    /// - Concurrency: any thread; the keyed context lives for this call and is wiped when freed.
    public static func sha256(key: borrowing SecretBytes, _ data: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        guard key.count > 0 else { throw LibCryptoError(.invalidInput, "The MAC key is empty.") }
        return try key.withUnsafeBytes { key throws(LibCryptoError) in
            try [UInt8].filled(32) { output throws(LibCryptoError) in
                try data.lend { data throws(LibCryptoError) in try compute(key, data, output) }
            }
        }
    }

    /// ``sha256(key:_:)`` whose result is itself a key.
    public static func sha256Secret(key: borrowing SecretBytes, _ data: [UInt8]) throws(LibCryptoError) -> SecretBytes {
        guard key.count > 0 else { throw LibCryptoError(.invalidInput, "The MAC key is empty.") }
        return try key.withUnsafeBytes { key throws(LibCryptoError) in
            try SecretBytes.filled(32) { output throws(LibCryptoError) in
                try data.lend { data throws(LibCryptoError) in try compute(key, data, output) }
            }
        }
    }

    private static func compute(
        _ key: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(LibCryptoError) {
        try LibCrypto.prepare()
        let template = try OpenSSL.check("EVP_MAC_fetch", Algorithms.hmacSHA256.pointer)
        let context = try OpenSSL.check("EVP_MAC_CTX_dup", EVP_MAC_CTX_dup(template))
        defer { EVP_MAC_CTX_free(context) }
        try OpenSSL.check("EVP_MAC_init", EVP_MAC_init(context, key.bytes, key.count, nil))
        if !data.isEmpty {
            try OpenSSL.check("EVP_MAC_update", EVP_MAC_update(context, data.bytes, data.count))
        }
        var written = 0
        try OpenSSL.check("EVP_MAC_final", EVP_MAC_final(context, output.bytes, &written, output.count))
        precondition(written == output.count, "HMAC-SHA-256 has 32 bytes")
    }
}
