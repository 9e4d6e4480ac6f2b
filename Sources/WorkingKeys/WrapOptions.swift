import LibCrypto
public import SecretMemory

/// What a caller decides about a wrapping beyond what the clients in the field send.
///
/// A packer that builds a JWE fixes the ephemeral key beforehand, because the protected header names it.
public struct WrapOptions: Sendable {
    /// Nil for a fresh key.
    let ephemeral: AgreementKey?
    /// Whether XChaCha20-Poly1305 seals the content key instead of AES key wrap.
    let usesXChaCha: Bool

    /// A fresh ephemeral key and AES key wrap.
    public static let standard = WrapOptions()

    private init() {
        ephemeral = nil
        usesXChaCha = false
    }

    /// - Parameters:
    ///   - ephemeral: The key to use instead of a fresh one, with its secret, big-endian; leading zeros may be missing.
    ///     Never used for two wrappings.
    /// - Throws: `.invalidArgument` for a secret out of range or of another key than the public one;
    ///   `.capacityExceeded`, `.internalFailure`.
    public init(
        ephemeral: (publicKey: AgreementPublicKey, secret: SharedSecret)?, usesXChaCha: Bool
    ) throws(WorkingKeyError) {
        self.usesXChaCha = usesXChaCha
        guard let (publicKey, secret) = ephemeral else {
            self.ephemeral = nil
            return
        }
        let padded = try Self.padded(secret, count: publicKey.curve.fieldLength)
        let key = try WorkingKeyError.translating { () throws(LibCryptoError) in
            try AgreementKey(curve: publicKey.curve, privateKey: padded)
        }
        guard key.publicKey == publicKey.raw else {
            throw WorkingKeyError(.invalidArgument, "The ephemeral key's two halves do not belong together.")
        }
        self.ephemeral = key
    }

    private static func padded(_ secret: SharedSecret, count: Int) throws(WorkingKeyError) -> SecretBytes {
        guard (1...count).contains(secret.count) else {
            throw WorkingKeyError(.invalidArgument, "The ephemeral key's secret has 1 to \(count) bytes.")
        }
        do {
            return try SecretBytes.make(count: count) { output in
                secret.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: output[(count - bytes.count)...]).copyMemory(from: bytes)
                }
            }
        } catch {
            throw WorkingKeyError(.capacityExceeded, "\(error)")
        }
    }
}
