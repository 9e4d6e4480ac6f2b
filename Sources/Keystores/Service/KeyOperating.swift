/// What one key does with a message.
///
/// Every method throws ``KMSError``, as ``KeystoreServing`` says.
public protocol KeyOperating: Sendable {
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument` for a key that cannot sign or a message too long.
    func sign(keystore: String, key: String, message: [UInt8], caller: Caller) async throws -> [UInt8]

    /// Returns if the signature was made by any version of the key.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verify(keystore: String, key: String, signature: [UInt8], message: [UInt8], caller: Caller) async throws

    /// - Returns: Ciphertext then tag, and the nonce: 12 bytes, or 24 for XChaCha20-Poly1305.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func encrypt(
        keystore: String, key: String, message: [UInt8], associatedData: [UInt8], caller: Caller
    ) async throws -> (ciphertext: [UInt8], nonce: [UInt8])

    /// Opens what any version of the key encrypted.
    ///
    /// - Throws: `.ciphertextInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func decrypt(
        keystore: String, key: String, ciphertext: [UInt8], associatedData: [UInt8], nonce: [UInt8], caller: Caller
    ) async throws -> [UInt8]

    /// - Returns: 37 bytes: 0x01, key id, tag.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func computeMAC(keystore: String, key: String, data: [UInt8], caller: Caller) async throws -> [UInt8]

    /// Returns if the MAC was made by any version of the key.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verifyMAC(keystore: String, key: String, mac: [UInt8], data: [UInt8], caller: Caller) async throws
}
