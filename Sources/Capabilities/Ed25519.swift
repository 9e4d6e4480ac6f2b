internal import LibCrypto

/// Verification under a raw Ed25519 public key (RFC 8032).
enum Ed25519 {
    static func isValid(_ signature: [UInt8], for message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard let key = try? VerificationKey(curve: .ed25519, publicKey: publicKey) else { return false }
        // An internal failure of the library is no proof of anything: refuse.
        return (try? key.verify(signature, message: message)) ?? false
    }
}
