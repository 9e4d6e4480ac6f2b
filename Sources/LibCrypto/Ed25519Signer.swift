internal import CSodium
import SecretMemory

/// An Ed25519 private key in locked memory, used through libsodium, which signs in less than half of OpenSSL's time here.
///
/// The library derives the scalar and the nonce anew for each signature, in constant time, and wipes both.
///
/// - Concurrency: any thread, several at once; nothing in it changes.
/// - Source: RFC 8032 §5.1.6 (pure Ed25519, deterministic).
final class Ed25519Signer: Sendable {
    /// 32 bytes.
    let publicKey: [UInt8]
    /// seed ‖ public key, the form that libsodium signs with.
    private let secret: SecretBytes

    /// - Parameter seed: Exactly 32 bytes.
    init(seed: UnsafeRawBufferPointer) throws(LibCryptoError) {
        try LibCrypto.prepare()
        guard seed.count == 32, let seed = seed.bytes else {
            throw LibCryptoError(.invalidInput, "An Ed25519 private key must have 32 bytes.")
        }
        var publicKey = [UInt8](repeating: 0, count: 32)
        secret = try SecretBytes.filled(64) { output throws(LibCryptoError) in
            guard let output = output.bytes else { return }
            try Sodium.check(
                "crypto_sign_seed_keypair", crypto_sign_seed_keypair(&publicKey, output, seed), .internalFailure)
        }
        self.publicKey = publicKey
    }

    /// A signature, 64 bytes.
    func sign(_ message: UnsafeRawBufferPointer) throws(LibCryptoError) -> [UInt8] {
        try secret.withUnsafeBytes { secret throws(LibCryptoError) in
            try [UInt8].filled(64) { output throws(LibCryptoError) in
                guard let output = output.bytes, let secret = secret.bytes else { return }
                try Sodium.check(
                    "crypto_sign_detached",
                    crypto_sign_detached(output, nil, message.bytes, UInt64(message.count), secret), .internalFailure)
            }
        }
    }

    /// Writes the seed, 32 bytes.
    func copySeed(into output: UnsafeMutableRawBufferPointer) {
        secret.withUnsafeBytes { output.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<32])) }
    }

    /// Writes the X25519 private key of the same secret, 32 bytes: SHA-512 of the seed, its first half clamped.
    func copyAgreementKey(into output: UnsafeMutableRawBufferPointer) throws(LibCryptoError) {
        try secret.withUnsafeBytes { secret throws(LibCryptoError) in
            guard let output = output.bytes, let secret = secret.bytes else { return }
            try Sodium.check(
                "crypto_sign_ed25519_sk_to_curve25519", crypto_sign_ed25519_sk_to_curve25519(output, secret),
                .internalFailure)
        }
    }
}
