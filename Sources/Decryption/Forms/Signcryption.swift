public import LibCrypto
public import SecretMemory

/// Signs a message for one receiver and encrypts both to him, bit for bit as the KMS of 2023 and 2024 did: an ECDSA
/// signature over the message and both of the receiver's keys, and a NaCl box around message, signature and the sender's keys.
public struct Signcryption: Sendable {
    /// The receiver's compressed verification key, or in the own service his account's 20 bytes.
    public var receiver: [UInt8]
    /// The receiver's X25519 key, 32 bytes.
    public var encryptionKey: [UInt8]
    /// The sender's compressed key, 33 bytes.
    public var verificationKey: [UInt8]

    /// The first messages of December 2023 hashed keys without their DER form.
    var hashesRawKeys = false

    public init(receiver: [UInt8], encryptionKey: [UInt8], verificationKey: [UInt8]) {
        self.receiver = receiver
        self.encryptionKey = encryptionKey
        self.verificationKey = verificationKey
    }

    /// What the receiver finds signed.
    public func signed(_ message: [UInt8]) throws(LibCryptoError) -> [UInt8] { try message + receiverDigests }

    /// What the sender signs.
    public func signed(secret message: borrowing SecretBytes) throws(LibCryptoError) -> SecretBytes {
        try Self.joined(message, receiverDigests)
    }

    private var receiverDigests: [UInt8] {
        get throws(LibCryptoError) { try digest(receiver) + digest(encryptionKey) }
    }

    /// Boxes a message and its signature.
    ///
    /// - Parameters:
    ///   - ephemeral: X25519; never twice.
    ///   - nonce: 24 bytes.
    /// - Throws: `.invalidInput` for a key of small order.
    public func seal(
        _ message: borrowing SecretBytes, signature: [UInt8], ephemeral: AgreementKey, nonce: [UInt8]
    ) throws(LibCryptoError) -> [UInt8] {
        let inner = try Self.joined(message, signature + digest(verificationKey) + digest(ephemeral.publicKey))
        let box = try CryptoBox.easy(inner, nonce: nonce, to: encryptionKey, from: ephemeral.privateKey())
        return WireDER.sequence([.vector(box), .vector(nonce), .octets(ephemeral.publicKey)]).encoded
    }

    /// With a fresh key and nonce.
    func seal(_ message: borrowing SecretBytes, signature: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        try seal(
            message, signature: signature, ephemeral: .generate(.x25519), nonce: Random.bytes(CryptoBox.nonceLength))
    }

    private static func joined(
        _ message: borrowing SecretBytes, _ tail: [UInt8]
    ) throws(LibCryptoError) -> SecretBytes {
        do throws(SecretMemoryError) { return try SecretBytes.joining([], message, tail) } catch {
            throw LibCryptoError(.capacityExceeded, error.description)
        }
    }

    /// Of a key's DER form.
    private func digest(_ key: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        try Digest.sha3of256(hashesRawKeys ? key : WireDER.octets(key).encoded)
    }
}
