internal import CLibCrypto
public import SecretMemory

/// AES-128 in CFB mode with a full block of feedback (NIST SP 800-38A, section 6.3): what TPMs wrap keys with. It hides
/// and does not authenticate.
///
/// - Concurrency: any thread; the context lives for the call and is wiped when freed.
public enum AESCFB {
    /// Encrypts with an initial value of zeros, for a key that is used once.
    ///
    /// - Parameter key: 16 bytes.
    /// - Returns: As many bytes as the plaintext has.
    /// - Throws: `.invalidInput` for a wrong length.
    public static func encrypt(
        _ plaintext: borrowing SecretBytes, key: borrowing SecretBytes
    ) throws(LibCryptoError) -> [UInt8] {
        guard key.count == 16, (1...1 << 16).contains(plaintext.count) else {
            throw LibCryptoError(.invalidInput, "AES-128-CFB takes a key of 16 bytes and a plaintext.")
        }
        let cipher = try OpenSSL.check("EVP_CIPHER_fetch", Algorithms.aes128CFB.pointer)
        let initial = [UInt8](repeating: 0, count: 16)
        return try plaintext.withUnsafeBytes { plaintext throws(LibCryptoError) in
            try key.withUnsafeBytes { key throws(LibCryptoError) in
                try [UInt8].filled(plaintext.count) { output throws(LibCryptoError) in
                    let context = try OpenSSL.check("EVP_CIPHER_CTX_new", EVP_CIPHER_CTX_new())
                    defer { EVP_CIPHER_CTX_free(context) }
                    try OpenSSL.check(
                        "EVP_EncryptInit_ex2", EVP_EncryptInit_ex2(context, cipher, key.bytes, initial, nil))
                    var written: Int32 = 0
                    try OpenSSL.check(
                        "EVP_EncryptUpdate",
                        EVP_EncryptUpdate(context, output.bytes, &written, plaintext.bytes, Int32(plaintext.count)))
                    try OpenSSL.check("EVP_EncryptUpdate", Int(written) == output.count ? 1 : 0)
                }
            }
        }
    }
}
