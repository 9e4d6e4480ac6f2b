import Encodings
import HybridSealing
import LibCrypto
import SecretMemory

/// The private half of a home's recovery key: ML-KEM seed (64 bytes) ‖ P-256 scalar (32 bytes).
///
/// It is nowhere in the clear: each lock slot holds it sealed, and who opens something with it holds it for that one call.
enum RecoveryKey {
    static let suite = HybridSuite.mlkem768p256
    static let length = HybridSuite.seedLength + 32

    static func generate() throws(EnclaveLockError) -> (secret: SharedSecret, recipient: HybridRecipient) {
        do {
            let agreement = try AgreementKey.generate(.p256)
            let seed = try SecretBytes.random(count: HybridSuite.seedLength)
            let scalar = try agreement.privateKey()
            let secret = SharedSecret(
                try SecretBytes.make(count: length) { output in
                    seed.withUnsafeBytes { output.copyMemory(from: $0) }
                    let rest = UnsafeMutableRawBufferPointer(rebasing: output[HybridSuite.seedLength...])
                    scalar.withUnsafeBytes { rest.copyMemory(from: $0) }
                })
            return (secret, try HybridRecipient.make(suite, seed: seed, point: agreement.publicKey))
        } catch {
            throw EnclaveLockError.failed("Could not make a recovery key", error)
        }
    }

    /// The public half.
    ///
    /// - Throws: `.openingFailed` for what is no private half.
    static func recipient(of secret: SharedSecret) throws(EnclaveLockError) -> HybridRecipient {
        let (seed, agreement) = try halves(secret)
        do {
            return try seed.withSecret { try HybridRecipient.make(suite, seed: $0, point: agreement.publicKey) }
        } catch {
            throw EnclaveLockError.failed("Could not compute the public half of a recovery key", error)
        }
    }

    static func open(
        _ sealed: [UInt8], with secret: SharedSecret, as recipient: HybridRecipient, identity: RecordIdentity
    ) throws(EnclaveLockError) -> SharedSecret {
        let (seed, agreement) = try halves(secret)
        do {
            let agreed = try agreement.agree(with: try HybridSealing.point(of: sealed, suite))
            return SharedSecret(
                try seed.withSecret {
                    try HybridSealing.open(
                        sealed, as: recipient, seed: $0, agreed: agreed, info: HybridSlotLock.info(identity))
                })
        } catch let error as HybridSealingError where error.code == .doesNotOpen {
            throw .doesNotOpen
        } catch {
            throw EnclaveLockError.failed("Could not open a record with the recovery key", error)
        }
    }

    /// What authenticates the list of slots.
    static func authenticator(of fields: RecordFields, with secret: SharedSecret) throws(EnclaveLockError) -> [UInt8] {
        do {
            let key = try secret.withSecret {
                try HKDF.sha256(inputKey: $0, salt: [], info: Labels.slotListKey.bytes, count: 32)
            }
            return try HMAC.sha256(key: key, fields.bytes)
        } catch {
            throw EnclaveLockError.failed("Could not authenticate the list of lock slots", error)
        }
    }

    private static func halves(
        _ secret: SharedSecret
    ) throws(EnclaveLockError) -> (seed: SharedSecret, agreement: AgreementKey) {
        guard secret.count == length else { throw .doesNotOpen }
        do {
            return try secret.withUnsafeBytes { bytes in
                let cut = HybridSuite.seedLength
                let scalar = try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[cut...]))
                let agreement = try AgreementKey(curve: .p256, privateKey: scalar)
                return (
                    SharedSecret(try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[..<cut]))), agreement
                )
            }
        } catch {
            throw EnclaveLockError.failed("Could not use a recovery key", error)
        }
    }
}
