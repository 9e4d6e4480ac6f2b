internal import LibCrypto

/// Verification under a raw Ed25519 public key (RFC 8032).
enum Ed25519 {
    static func isValid(_ signature: [UInt8], for message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard let key = key(publicKey) else { return false }
        return isValid(signature, for: message, key: key)
    }

    static func isValid(_ signature: [UInt8], for message: [UInt8], key: VerificationKey) -> Bool {
        // An internal failure of the library is no proof of anything: refuse.
        (try? key.verify(signature, message: message)) ?? false
    }

    /// Nil for bytes that are no point of the main subgroup; finding that out costs more than half of a verification.
    static func key(_ publicKey: [UInt8]) -> VerificationKey? {
        try? VerificationKey(curve: .ed25519, publicKey: publicKey)
    }
}
