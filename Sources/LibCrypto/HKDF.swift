internal import CLibCrypto
public import SecretMemory

/// HKDF (RFC 5869).
public enum HKDF {
    /// Extracts and expands with HMAC-SHA-256.
    ///
    /// - Parameters:
    ///   - inputKey: The secret to start from, 1 byte or more.
    ///   - salt: May be empty, which means 32 zero bytes.
    ///   - info: Says what the result is for; different purposes never share one.
    ///   - count: Bytes wanted, 1 to 8160 (255 blocks).
    /// - Throws: `.invalidInput` for an empty key or a count out of range.
    /// - Concurrency: any thread; the intermediate key lives for this call and is wiped when freed.
    public static func sha256(
        inputKey: borrowing SecretBytes, salt: [UInt8], info: [UInt8], count: Int
    ) throws(LibCryptoError) -> SecretBytes {
        guard inputKey.count > 0 else { throw LibCryptoError(.invalidInput, "The input key is empty.") }
        guard count > 0, count <= 255 * 32 else {
            throw LibCryptoError(.invalidInput, "HKDF-SHA-256 gives 1 to 8160 bytes.")
        }
        return try inputKey.withUnsafeBytes { inputKey throws(LibCryptoError) in
            try SecretBytes.filled(count) { output throws(LibCryptoError) in
                try salt.lend { salt throws(LibCryptoError) in
                    try info.lend { info throws(LibCryptoError) in
                        try derive(inputKey, salt, info, output)
                    }
                }
            }
        }
    }

    private static func derive(
        _ inputKey: UnsafeRawBufferPointer, _ salt: UnsafeRawBufferPointer, _ info: UnsafeRawBufferPointer,
        _ output: UnsafeMutableRawBufferPointer
    ) throws(LibCryptoError) {
        try LibCrypto.prepare()
        let context = try OpenSSL.check("EVP_KDF_CTX_new", Algorithms.hkdf.pointer.flatMap { EVP_KDF_CTX_new($0) })
        defer { EVP_KDF_CTX_free(context) }
        var parameters = [Parameter.text("digest", "SHA2-256"), Parameter.octets("key", inputKey)]
        if !salt.isEmpty { parameters.append(Parameter.octets("salt", salt)) }
        if !info.isEmpty { parameters.append(Parameter.octets("info", info)) }
        parameters.append(Parameter.end)
        try OpenSSL.check("EVP_KDF_derive", EVP_KDF_derive(context, output.bytes, output.count, parameters))
    }
}
