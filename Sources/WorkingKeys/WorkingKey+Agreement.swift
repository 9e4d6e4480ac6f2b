import LibCrypto
import SecretMemory

extension WorkingKey {
    /// The private keys of a key agreement key, the primary first; empty for every other type.
    var agreementKeys: [AgreementKey] {
        versions.compactMap { if case .agreement(let key) = $0.secret { key } else { nil } }
    }

    /// Boxes a message with the X25519 form of an Ed25519 key's primary version (NaCl `crypto_box_easy`).
    ///
    /// - Parameters:
    ///   - nonce: 24 bytes, never twice for one pair of keys.
    ///   - peer: The receiver's X25519 public key, 32 bytes.
    /// - Returns: 16-byte tag ‖ ciphertext.
    /// - Throws: `.invalidArgument` for a wrong length or a public key of small order; `.unsupportedOperation`.
    public func easy(_ payload: [UInt8], nonce: [UInt8], to peer: [UInt8]) throws(WorkingKeyError) -> [UInt8] {
        guard type == .ed25519, case .signing(let key) = primary.secret else { throw .unsupported(.easy, type) }
        return try WorkingKeyError.translating { () throws(LibCryptoError) in
            let secret = try key.x25519PrivateKey()
            return try CryptoBox.easy(payload, nonce: nonce, to: peer, from: secret)
        }
    }

    /// Opens a box that was made for one of this key's versions.
    ///
    /// - Parameters:
    ///   - peer: The sender's X25519 public key, 32 bytes.
    ///   - own: The Ed25519 public key of the version, 32 bytes.
    /// - Throws: `.decryptionFailed`, `.invalidArgument` for a wrong length or a version this key does not have,
    ///   `.unsupportedOperation`.
    public func easyOpen(
        _ box: [UInt8], nonce: [UInt8], from peer: [UInt8], own: [UInt8]
    ) throws(WorkingKeyError) -> [UInt8] {
        let key = try boxKey(own, .easyOpen)
        return try Self.opening { () throws(LibCryptoError) in
            let secret = try key.x25519PrivateKey()
            return try CryptoBox.open(box, nonce: nonce, from: peer, to: secret)
        }
    }

    /// Opens a sealed box that was made for one of this key's versions.
    ///
    /// - Throws: like ``easyOpen(_:nonce:from:own:)``.
    public func sealOpen(_ box: [UInt8], own: [UInt8]) throws(WorkingKeyError) -> [UInt8] {
        let key = try boxKey(own, .sealOpen)
        return try Self.opening { () throws(LibCryptoError) in
            let secret = try key.x25519PrivateKey()
            return try CryptoBox.sealOpen(box, to: secret)
        }
    }

    private func boxKey(_ own: [UInt8], _ operation: KeyOperation) throws(WorkingKeyError) -> SigningKey {
        guard type == .ed25519 else { throw .unsupported(operation, type) }
        for version in versions {
            if case .signing(let key) = version.secret, key.publicKey == own { return key }
        }
        throw WorkingKeyError(.invalidArgument, "The key has no version with this public key.")
    }

    private static func opening(_ body: () throws(LibCryptoError) -> [UInt8]) throws(WorkingKeyError) -> [UInt8] {
        do throws(LibCryptoError) {
            return try body()
        } catch  where error.code == .authenticationFailed {
            throw .decryptionFailed
        } catch {
            throw WorkingKeyError(error)
        }
    }
}
