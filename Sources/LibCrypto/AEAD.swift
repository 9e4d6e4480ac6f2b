public import SecretMemory

/// Authenticated encryption with associated data; the output is always ciphertext then tag.
///
/// The context of a call, with its key schedule, lives for that call only and is wiped by the library when freed.
///
/// - Concurrency: any thread, no shared state.
public enum AEAD {
    /// Longest message or associated data in bytes; OpenSSL takes lengths as `int`.
    public static let longestInput = 1 << 30

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - plaintext: 0 to ``longestInput`` bytes.
    ///   - key: Exactly `algorithm.keyLength` bytes.
    ///   - nonce: Exactly `algorithm.nonceLength` bytes; never twice under one key.
    ///   - associatedData: Authenticated, not stored; 0 to ``longestInput`` bytes.
    /// - Returns: ciphertext ‖ tag, `plaintext.count + 16` bytes.
    /// - Throws: `.invalidInput` for a wrong length.
    public static func seal(
        _ plaintext: UnsafeRawBufferPointer, key: borrowing SecretBytes, nonce: [UInt8], associatedData: [UInt8],
        algorithm: AEADAlgorithm
    ) throws(LibCryptoError) -> [UInt8] {
        guard plaintext.count <= longestInput else {
            throw LibCryptoError(.invalidInput, "The plaintext is too long for one message.")
        }
        return try withCall(key, nonce, associatedData, algorithm) { call throws(LibCryptoError) in
            try [UInt8].filled(plaintext.count + algorithm.tagLength) { output throws(LibCryptoError) in
                try call.seal(plaintext, into: output)
            }
        }
    }

    /// ``seal(_:key:nonce:associatedData:algorithm:)`` for an array.
    public static func seal(
        _ plaintext: [UInt8], key: borrowing SecretBytes, nonce: [UInt8], associatedData: [UInt8],
        algorithm: AEADAlgorithm
    ) throws(LibCryptoError) -> [UInt8] {
        try plaintext.lend { plaintext throws(LibCryptoError) in
            try seal(plaintext, key: key, nonce: nonce, associatedData: associatedData, algorithm: algorithm)
        }
    }

    /// ``seal(_:key:nonce:associatedData:algorithm:)`` for a secret.
    public static func sealSecret(
        _ plaintext: borrowing SecretBytes, key: borrowing SecretBytes, nonce: [UInt8], associatedData: [UInt8],
        algorithm: AEADAlgorithm
    ) throws(LibCryptoError) -> [UInt8] {
        try plaintext.withUnsafeBytes { plaintext throws(LibCryptoError) in
            try seal(plaintext, key: key, nonce: nonce, associatedData: associatedData, algorithm: algorithm)
        }
    }

    /// Verifies and decrypts.
    ///
    /// - Parameter ciphertext: ciphertext ‖ tag.
    /// - Throws: `.authenticationFailed` when anything differs from what was sealed, a truncated input included;
    ///   `.invalidInput` for a key, nonce or associated data of a wrong length. Nothing unauthenticated is returned.
    public static func open(
        _ ciphertext: [UInt8], key: borrowing SecretBytes, nonce: [UInt8], associatedData: [UInt8],
        algorithm: AEADAlgorithm
    ) throws(LibCryptoError) -> [UInt8] {
        let length = try plaintextLength(ciphertext, algorithm)
        return try withCall(key, nonce, associatedData, algorithm) { call throws(LibCryptoError) in
            try [UInt8].filled(length) { output throws(LibCryptoError) in
                try ciphertext.lend { ciphertext throws(LibCryptoError) in try call.open(ciphertext, into: output) }
            }
        }
    }

    /// ``open(_:key:nonce:associatedData:algorithm:)`` whose plaintext is written to locked memory only.
    public static func openSecret(
        _ ciphertext: [UInt8], key: borrowing SecretBytes, nonce: [UInt8], associatedData: [UInt8],
        algorithm: AEADAlgorithm
    ) throws(LibCryptoError) -> SecretBytes {
        let length = try plaintextLength(ciphertext, algorithm)
        return try withCall(key, nonce, associatedData, algorithm) { call throws(LibCryptoError) in
            try SecretBytes.filled(length) { output throws(LibCryptoError) in
                try ciphertext.lend { ciphertext throws(LibCryptoError) in try call.open(ciphertext, into: output) }
            }
        }
    }

    private static func plaintextLength(
        _ ciphertext: [UInt8], _ algorithm: AEADAlgorithm
    ) throws(LibCryptoError) -> Int {
        guard ciphertext.count >= algorithm.tagLength, ciphertext.count <= longestInput + algorithm.tagLength else {
            throw LibCryptoError(.authenticationFailed, "The ciphertext does not authenticate.")
        }
        return ciphertext.count - algorithm.tagLength
    }

    /// Checks every length the C functions trust, then lends the operands for one operation.
    private static func withCall<R: ~Copyable>(
        _ key: borrowing SecretBytes, _ nonce: [UInt8], _ associatedData: [UInt8], _ algorithm: AEADAlgorithm,
        _ body: (AEADCall) throws(LibCryptoError) -> R
    ) throws(LibCryptoError) -> R {
        guard key.count == algorithm.keyLength else {
            throw LibCryptoError(.invalidInput, "The key must have \(algorithm.keyLength) bytes.")
        }
        guard nonce.count == algorithm.nonceLength else {
            throw LibCryptoError(.invalidInput, "The nonce must have \(algorithm.nonceLength) bytes.")
        }
        guard associatedData.count <= longestInput else {
            throw LibCryptoError(.invalidInput, "The associated data is too long for one message.")
        }
        return try key.withUnsafeBytes { key throws(LibCryptoError) in
            try nonce.lend { nonce throws(LibCryptoError) in
                try associatedData.lend { associatedData throws(LibCryptoError) in
                    try body(
                        AEADCall(algorithm: algorithm, key: key, nonce: nonce, associatedData: associatedData))
                }
            }
        }
    }
}
