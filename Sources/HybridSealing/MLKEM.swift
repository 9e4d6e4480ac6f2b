internal import Crypto
import Foundation
import SecretMemory

/// ML-KEM (FIPS 203) with seeds in locked memory.
///
/// The library keeps an expanded key on the heap for one call; what comes out goes into locked memory at once.
enum MLKEM {
    static func publicKey(_ suite: HybridSuite, seed: borrowing SecretBytes) throws(HybridSealingError) -> [UInt8] {
        try seed.withUnsafeBytes { seed throws(HybridSealingError) in
            do {
                return switch suite {
                case .mlkem768p256:
                    Array(
                        try MLKEM768.PrivateKey(seedRepresentation: seed, publicKey: nil).publicKey.rawRepresentation)
                case .mlkem1024p384:
                    Array(
                        try MLKEM1024.PrivateKey(seedRepresentation: seed, publicKey: nil).publicKey.rawRepresentation)
                }
            } catch {
                throw HybridSealingError(.internalFailure, "An ML-KEM seed has \(HybridSuite.seedLength) bytes.")
            }
        }
    }

    /// A wrong ciphertext of the right length gives another secret, not an error (FIPS 203 §6.3).
    static func decapsulate(
        _ suite: HybridSuite, seed: borrowing SecretBytes, _ ciphertext: [UInt8]
    ) throws(HybridSealingError) -> SecretBytes {
        try seed.withUnsafeBytes { seed throws(HybridSealingError) in
            do {
                let key: SymmetricKey =
                    switch suite {
                    case .mlkem768p256:
                        try MLKEM768.PrivateKey(seedRepresentation: seed, publicKey: nil).decapsulate(ciphertext)
                    case .mlkem1024p384:
                        try MLKEM1024.PrivateKey(seedRepresentation: seed, publicKey: nil).decapsulate(ciphertext)
                    }
                return try locked(key)
            } catch {
                throw HybridSealingError(.internalFailure, "ML-KEM: \(error)")
            }
        }
    }

    static func encapsulate(
        to recipient: HybridRecipient
    ) throws(HybridSealingError) -> (secret: SecretMemory.SharedSecret, ciphertext: [UInt8]) {
        do {
            let result =
                switch recipient.suite {
                case .mlkem768p256:
                    try MLKEM768.PublicKey(rawRepresentation: recipient.encapsulationKey).encapsulate()
                case .mlkem1024p384:
                    try MLKEM1024.PublicKey(rawRepresentation: recipient.encapsulationKey).encapsulate()
                }
            return (SecretMemory.SharedSecret(try locked(result.sharedSecret)), Array(result.encapsulated))
        } catch {
            throw HybridSealingError(.internalFailure, "ML-KEM: \(error)")
        }
    }

    private static func locked(_ key: SymmetricKey) throws -> SecretBytes {
        try SecretBytes.make(count: key.bitCount / 8) { output in key.withUnsafeBytes { output.copyMemory(from: $0) } }
    }
}
