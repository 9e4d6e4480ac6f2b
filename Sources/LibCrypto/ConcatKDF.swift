internal import CLibCrypto
public import SecretMemory

/// The one-step key derivation that JOSE calls Concat KDF, with SHA-256 (NIST SP 800-56C §4; RFC 7518 §4.6.2).
public enum ConcatKDF {
    /// Hashes counter (from 1) ‖ secret ‖ otherInfo until there are enough bytes.
    ///
    /// - Parameters:
    ///   - secret: The agreed secret, 1 byte or more.
    ///   - otherInfo: Says what the key is for; the caller builds it.
    ///   - count: Bytes wanted, 1 to 8160.
    /// - Throws: `.invalidInput` for an empty secret or a count out of range.
    public static func sha256(
        secret: borrowing SecretBytes, otherInfo: [UInt8], count: Int
    ) throws(LibCryptoError) -> SecretBytes {
        guard secret.count > 0, (1...8160).contains(count) else {
            throw LibCryptoError(.invalidInput, "Concat KDF needs a secret and gives 1 to 8160 bytes.")
        }
        try LibCrypto.prepare()
        return try secret.withUnsafeBytes { secret throws(LibCryptoError) in
            try otherInfo.lend { otherInfo throws(LibCryptoError) in
                try SecretBytes.filled(count) { output throws(LibCryptoError) in
                    let context = try OpenSSL.check(
                        "EVP_KDF_CTX_new", Algorithms.sskdf.pointer.flatMap { EVP_KDF_CTX_new($0) })
                    defer { EVP_KDF_CTX_free(context) }
                    let parameters = [
                        Parameter.text("digest", "SHA2-256"), Parameter.octets("key", secret),
                        Parameter.octets("info", otherInfo), Parameter.end,
                    ]
                    try OpenSSL.check(
                        "EVP_KDF_derive", EVP_KDF_derive(context, output.bytes, output.count, parameters))
                }
            }
        }
    }
}
