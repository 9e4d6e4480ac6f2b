internal import CSodium
public import SecretMemory

/// NaCl's public-key box: X25519, HSalsa20 and XSalsa20-Poly1305.
///
/// - Concurrency: any thread, no shared state.
public enum CryptoBox {
    /// Bytes.
    public static let nonceLength = 24
    /// Bytes that a box is longer than its message.
    public static let overhead = 16
    /// Bytes that a sealed box is longer than its message: a public key and the tag.
    public static let sealOverhead = 48

    /// Boxes a message.
    ///
    /// - Parameters:
    ///   - nonce: 24 bytes, never twice for one pair of keys.
    ///   - peer: The receiver's X25519 public key, 32 bytes.
    ///   - privateKey: The sender's X25519 private key, 32 bytes.
    /// - Returns: 16-byte tag ‖ ciphertext.
    /// - Throws: `.invalidInput` for a wrong length or a public key of small order.
    public static func easy(
        _ message: [UInt8], nonce: [UInt8], to peer: [UInt8], from privateKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> [UInt8] {
        try check(nonce, peer, privateKey)
        return try privateKey.withUnsafeBytes { privateKey throws(LibCryptoError) in
            try [UInt8].filled(message.count + overhead) { output throws(LibCryptoError) in
                guard let output = output.bytes, let privateKey = privateKey.bytes,
                    crypto_box_easy(output, message, UInt64(message.count), nonce, peer, privateKey) == 0
                else { throw LibCryptoError(.invalidInput, "The X25519 public key is a point of small order.") }
            }
        }
    }

    /// Boxes a message that is a secret until then.
    public static func easy(
        _ message: borrowing SecretBytes, nonce: [UInt8], to peer: [UInt8], from privateKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> [UInt8] {
        try check(nonce, peer, privateKey)
        let count = message.count
        return try message.withUnsafeBytes { message throws(LibCryptoError) in
            try privateKey.withUnsafeBytes { privateKey throws(LibCryptoError) in
                try [UInt8].filled(count + overhead) { output throws(LibCryptoError) in
                    guard let output = output.bytes, let privateKey = privateKey.bytes,
                        crypto_box_easy(output, message.bytes, UInt64(count), nonce, peer, privateKey) == 0
                    else { throw LibCryptoError(.invalidInput, "The X25519 public key is a point of small order.") }
                }
            }
        }
    }

    /// Opens a box; operands as for ``easy(_:nonce:to:from:)`` with the roles exchanged.
    ///
    /// - Throws: `.authenticationFailed` if it was not made by this peer for this key; `.invalidInput` for a wrong length.
    public static func open(
        _ box: [UInt8], nonce: [UInt8], from peer: [UInt8], to privateKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> [UInt8] {
        try check(nonce, peer, privateKey)
        guard box.count >= overhead else { throw refused }
        return try privateKey.withUnsafeBytes { privateKey throws(LibCryptoError) in
            try [UInt8].filled(box.count - overhead) { output throws(LibCryptoError) in
                // The message may be empty, and the library writes only what it has verified.
                guard let privateKey = privateKey.bytes,
                    withOutput(output, { crypto_box_open_easy($0, box, UInt64(box.count), nonce, peer, privateKey) })
                        == 0
                else { throw refused }
            }
        }
    }

    /// The same into locked memory.
    public static func openSecretly(
        _ box: [UInt8], nonce: [UInt8], from peer: [UInt8], to privateKey: borrowing SecretBytes
    ) throws(LibCryptoError) -> SecretBytes {
        try check(nonce, peer, privateKey)
        guard box.count >= overhead else { throw refused }
        return try privateKey.withUnsafeBytes { privateKey throws(LibCryptoError) in
            try SecretBytes.filled(box.count - overhead) { output throws(LibCryptoError) in
                guard let privateKey = privateKey.bytes,
                    withOutput(output, { crypto_box_open_easy($0, box, UInt64(box.count), nonce, peer, privateKey) })
                        == 0
                else { throw refused }
            }
        }
    }

    /// Boxes a message for a receiver without telling who sends it: ephemeral public key ‖ tag ‖ ciphertext.
    ///
    /// - Parameter peer: The receiver's X25519 public key, 32 bytes.
    /// - Throws: `.invalidInput` for a wrong length or a public key of small order.
    public static func seal(_ message: [UInt8], to peer: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        try LibCrypto.prepare()
        guard peer.count == 32 else { throw LibCryptoError(.invalidInput, "An X25519 key must have 32 bytes.") }
        return try [UInt8].filled(message.count + sealOverhead) { output throws(LibCryptoError) in
            guard let output = output.bytes, crypto_box_seal(output, message, UInt64(message.count), peer) == 0 else {
                throw LibCryptoError(.invalidInput, "The X25519 public key is a point of small order.")
            }
        }
    }

    /// Opens a sealed box.
    ///
    /// - Throws: `.authenticationFailed` if it was not made for this key; `.invalidInput` for a key of a wrong length.
    public static func sealOpen(_ box: [UInt8], to privateKey: borrowing SecretBytes) throws(LibCryptoError) -> [UInt8]
    {
        try LibCrypto.prepare()
        let key = try AgreementKey(curve: .x25519, privateKey: privateKey)
        guard box.count >= sealOverhead else { throw refused }
        return try privateKey.withUnsafeBytes { privateKey throws(LibCryptoError) in
            try [UInt8].filled(box.count - sealOverhead) { output throws(LibCryptoError) in
                guard let privateKey = privateKey.bytes,
                    withOutput(output, { crypto_box_seal_open($0, box, UInt64(box.count), key.publicKey, privateKey) })
                        == 0
                else { throw refused }
            }
        }
    }

    /// The X25519 public key that belongs to an Ed25519 public key, by the birational map.
    ///
    /// - Throws: `.invalidInput` for bytes that are no point of the main subgroup.
    public static func publicKey(ofEd25519 publicKey: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        try LibCrypto.prepare()
        guard publicKey.count == 32 else { throw LibCryptoError(.invalidInput, "An Ed25519 key must have 32 bytes.") }
        return try [UInt8].filled(32) { output throws(LibCryptoError) in
            guard let output = output.bytes, crypto_sign_ed25519_pk_to_curve25519(output, publicKey) == 0 else {
                throw LibCryptoError(.invalidInput, "The Ed25519 public key is not a point of the main subgroup.")
            }
        }
    }

    private static func check(
        _ nonce: [UInt8], _ peer: [UInt8], _ privateKey: borrowing SecretBytes
    ) throws(LibCryptoError) {
        try LibCrypto.prepare()
        guard nonce.count == nonceLength else {
            throw LibCryptoError(.invalidInput, "The nonce must have \(nonceLength) bytes.")
        }
        guard peer.count == 32, privateKey.count == 32 else {
            throw LibCryptoError(.invalidInput, "An X25519 key must have 32 bytes.")
        }
    }

    /// Lends a valid address even for an empty output.
    private static func withOutput(
        _ output: UnsafeMutableRawBufferPointer, _ body: (UnsafeMutablePointer<UInt8>) -> Int32
    ) -> Int32 {
        if let bytes = output.bytes { return body(bytes) }
        var nothing: UInt8 = 0
        return body(&nothing)
    }

    private static var refused: LibCryptoError {
        LibCryptoError(.authenticationFailed, "The box does not open.")
    }
}
