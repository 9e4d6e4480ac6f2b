public import SecretMemory

/// Operations with keys that exist unwrapped only inside the token.
public protocol ResidentKeyOperations: Sendable {
    /// What the token proved it can do from generation to use; not what its mechanism list says.
    var residentAlgorithms: Set<ResidentAlgorithm> { get }

    func generateResident(_ algorithm: ResidentAlgorithm) async throws(HSMError) -> ResidentKeyBlob

    /// Signs a digest (ECDSA: 20 to 64 bytes, r ‖ s of fixed width) or, for Ed25519, a message (R ‖ S).
    func sign(digest: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8]

    /// Agrees with the owner of a public key (ECDH): the x coordinate of the common point, as wide as the curve.
    ///
    /// - Parameter peer: 04 ‖ X ‖ Y, which the caller found on the key's curve.
    /// - Throws: `.mechanismUnsupported` if the token agrees on nothing.
    func agree(with peer: [UInt8], key: ResidentKeyBlob) async throws(HSMError) -> SharedSecret

    /// HMAC-SHA-256, 32 bytes.
    func mac(_ data: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8]

    /// AES-GCM; `nonce` has 12 bytes and is never repeated with the key. Returns ciphertext ‖ tag(16).
    func encrypt(
        _ plaintext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8]

    /// Opens ciphertext ‖ tag(16). Throws `.authenticationFailed` for whatever is wrong with the input.
    func decrypt(
        _ ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8]

    /// Destroys the unwrapped key; the blob still works and is unwrapped again at its next use.
    func forget(_ identifier: [UInt8]) async

    /// What the device says of the key now.
    ///
    /// - Parameter nonce: 16 to 64 bytes of whoever asks; part of what the device signs, if it signs.
    /// - Throws: `.mechanismUnsupported` for a device that says nothing of its keys.
    func attest(_ key: ResidentKeyBlob, nonce: [UInt8]) async throws(HSMError) -> ResidentKeyEvidence
}

extension ResidentKeyOperations {
    /// For tokens that agree on nothing.
    public func agree(with peer: [UInt8], key: ResidentKeyBlob) async throws(HSMError) -> SharedSecret {
        throw HSMError(.mechanismUnsupported, "This token agrees on no secrets.")
    }

    /// Refuses: this device says nothing of its keys.
    public func attest(_ key: ResidentKeyBlob, nonce: [UInt8]) async throws(HSMError) -> ResidentKeyEvidence {
        throw HSMError(.mechanismUnsupported, "This token gives no evidence about its keys.")
    }
}
