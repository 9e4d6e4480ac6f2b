internal import CLibCrypto
public import SecretMemory

/// PBKDF2 with HMAC-SHA-512 (RFC 8018 §5.2).
public enum PBKDF2 {
    /// Derives bytes from a password.
    ///
    /// - Parameters:
    ///   - password: 1 byte or more.
    ///   - salt: 1 byte or more; secret where a passphrase is part of it.
    ///   - iterations: 1 to 10,000,000.
    ///   - count: Bytes wanted, 1 to 1024.
    /// - Throws: `.invalidInput` for arguments out of range.
    /// - Concurrency: any thread; what OpenSSL copies it wipes when freed.
    public static func sha512(
        password: borrowing SecretBytes, salt: borrowing SecretBytes, iterations: Int, count: Int
    ) throws(LibCryptoError) -> SecretBytes {
        guard password.count > 0, salt.count > 0, (1...10_000_000).contains(iterations), (1...1024).contains(count)
        else {
            throw LibCryptoError(
                .invalidInput, "PBKDF2 needs a password, a salt, 1 to 10,000,000 rounds and 1 to 1024 bytes to make.")
        }
        try LibCrypto.prepare()
        let digest = try OpenSSL.check("EVP_MD_fetch", Algorithms.sha512.pointer)
        return try password.withUnsafeBytes { password throws(LibCryptoError) in
            try salt.withUnsafeBytes { salt throws(LibCryptoError) in
                try SecretBytes.filled(count) { output throws(LibCryptoError) in
                    try OpenSSL.check(
                        "PKCS5_PBKDF2_HMAC",
                        PKCS5_PBKDF2_HMAC(
                            password.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(password.count),
                            salt.bytes, Int32(salt.count), Int32(iterations), digest, Int32(output.count),
                            output.bytes))
                }
            }
        }
    }
}
