import Encodings
import LibCrypto
import SecretMemory

/// What HKDF makes of a lock key and an envelope's salt: 32 bytes of key and 32 bytes of commitment to it.
///
/// The commitment is an output of SHA-256 over the same input as the key; a second lock key with the same commitment
/// would be a collision.
struct EnvelopeKeys: ~Copyable {
    let key: SecretBytes
    /// Stored in the clear; tells nothing about ``key``.
    let commitment: [UInt8]

    init(lockKey: borrowing SecretBytes, salt: [UInt8]) throws {
        let output = try HKDF.sha256(inputKey: lockKey, salt: salt, info: Labels.envelopeKeys.bytes, count: 64)
        key = try output.withUnsafeBytes { output in
            try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: output[..<32]))
        }
        commitment = output.withUnsafeBytes { Array($0[32...]) }
    }
}
