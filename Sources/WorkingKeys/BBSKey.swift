import Pairing
import SecretMemory

/// The secret scalar of a BBS+ key, in locked memory, and its public key.
///
/// - Concurrency: a value without changing parts; any thread.
struct BBSKey: Sendable {
    /// 32 bytes, big-endian, in 1 ..< r.
    let secret: SharedSecret
    let point: BBSPlus.PublicKey
    /// The compressed point, 96 bytes.
    let publicKey: [UInt8]

    /// - Throws: `.invalidArgument` for anything but 32 bytes in 1 ..< r; `.internalFailure`.
    init(_ secret: borrowing SecretBytes) throws(WorkingKeyError) {
        do throws(PairingError) {
            point = try secret.withUnsafeBytes { scalar throws(PairingError) in try BBSPlus.publicKey(of: scalar) }
        } catch {
            throw WorkingKeyError(
                .invalidArgument, "A BLS12-381 secret is 32 bytes, big-endian, from 1 below the order.")
        }
        publicKey = point.compressed
        do throws(SecretMemoryError) {
            self.secret = SharedSecret(try secret.copy())
        } catch {
            throw WorkingKeyError(.capacityExceeded, error.description)
        }
    }

    /// A fresh key from the kernel's generator.
    ///
    /// - Throws: `.internalFailure`.
    static func generate() throws(WorkingKeyError) -> BBSKey {
        let secret: SecretBytes
        do {
            secret = try SecretBytes.make(count: 32) { output in
                try BLS12381.generateSecretKey(into: output) { try KernelRandom.fill($0) }
            }
        } catch {
            throw WorkingKeyError(.internalFailure, "Could not make a BLS12-381 key: \(error).")
        }
        return try BBSKey(secret)
    }
}
