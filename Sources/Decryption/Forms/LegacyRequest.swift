import LibCrypto

/// A request of a generation as it came, with the form that it is signed and hashed in.
public struct LegacyRequest: Sendable {
    public enum Purpose: Sendable, Hashable {
        case decrypt
        /// For the key in `enc_key`.
        case reencrypt
    }

    public var generation: Generation
    public var purpose: Purpose
    /// As it came; none in GB's decryption.
    public var verificationKey: [UInt8] = []
    /// As it came; none in a decryption.
    public var encryptionKey: [UInt8] = []
    public var fheType: UInt32 = 0
    public var ciphertext: [UInt8] = []
    public var randomness: [UInt8] = []
    public var height: UInt32 = 0
    public var proof: [UInt8] = []
    /// As it came; none in GB's decryption.
    public var signature: [UInt8] = []
    /// GB only.
    public var version: UInt32 = 0
    /// GB only.
    public var serversNeeded: UInt32 = 0
    /// GB only.
    public var keyHandle = ""
    /// GN only: the caller's own bytes, or in a re-encryption his key, 32 bytes.
    public var content: [UInt8] = []

    public init(_ generation: Generation, _ purpose: Purpose) {
        self.generation = generation
        self.purpose = purpose
    }

    /// What the requester signs.
    public var encoded: [UInt8] {
        let parts: [WireDER] =
            switch (generation, purpose) {
            case (.ga, .decrypt):
                [
                    .vector(verificationKey), .type(fheType), .vector(ciphertext), .vector(randomness),
                    .number(UInt64(height)), .vector(proof),
                ]
            case (.ga, .reencrypt):
                [
                    .vector(verificationKey), .vector(encryptionKey), .type(fheType), .vector(ciphertext),
                    .vector(randomness), .number(UInt64(height)), .vector(proof),
                ]
            case (.gb, .decrypt):
                [
                    .number(UInt64(version)), .number(UInt64(serversNeeded)), .type(fheType), .vector(randomness),
                    .text(keyHandle), .vector(ciphertext),
                ]
            case (.gb, .reencrypt):
                [
                    .number(UInt64(version)), .number(UInt64(serversNeeded)), .vector(verificationKey),
                    .vector(encryptionKey), .type(fheType), .vector(randomness), .vector(ciphertext), .text(keyHandle),
                ]
            case (.gn, _):
                // Nobody signed it then; the form is this daemon's, for the digest.
                [
                    .type(fheType), .vector(ciphertext), .vector(content), .number(UInt64(height)), .vector(proof),
                ]
            }
        return WireDER.sequence(parts).encoded
    }

    /// Of what ``encoded`` gave: it is written once more as a vector before it is hashed.
    public static func digest(ofEncoded bytes: [UInt8]) throws(DecryptionError) -> [UInt8] {
        do { return try WireDER.digest(ofVector: bytes) } catch { throw .failed("SHA3-256 failed") }
    }
}
