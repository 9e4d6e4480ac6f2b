public import Encodings
import LibCrypto
public import SecretMemory

/// The wire format of a secret sealed under a key in this process; every byte is described in `docs/FORMATS.md`.
///
/// Each envelope has a key of its own, derived from the lock key with a random salt, so random nonces have no practical
/// bound; and a commitment to that key, so no other lock key ever opens it, which AES-GCM alone does not promise.
///
/// - Concurrency: pure functions of a few microseconds; any thread.
/// - Source: NIST SP 800-38D (AES-GCM), RFC 5869 (HKDF).
public enum Envelope {
    /// `KMSE`.
    static let magic: [UInt8] = [0x4B, 0x4D, 0x53, 0x45]
    static let version: UInt8 = 1
    /// AES-256-GCM with HKDF-SHA-256 and a 32-byte commitment.
    static let algorithm: UInt8 = 1
    static let saltLength = 32
    static let nonceLength = 12
    static let commitmentLength = 32
    static let tagLength = 16
    static let headerLength = 4 + 1 + 1 + saltLength + nonceLength + commitmentLength

    /// Bytes that an envelope is longer than its secret.
    public static let overhead = headerLength + tagLength
    /// Bytes of a lock key.
    public static let lockKeyLength = 32

    /// Seals a secret for one record.
    ///
    /// - Parameters:
    ///   - lockKey: ``lockKeyLength`` bytes.
    ///   - identity: Authenticated, not stored.
    /// - Returns: `secret.count + overhead` bytes.
    /// - Throws: `.invalidArgument` for a lock key of another length, `.internalFailure`.
    public static func seal(
        _ secret: borrowing SecretBytes, lockKey: borrowing SecretBytes, identity: RecordIdentity
    ) throws(EnclaveLockError) -> [UInt8] {
        guard lockKey.count == lockKeyLength else {
            throw EnclaveLockError(.invalidArgument, "A lock key has \(lockKeyLength) bytes.")
        }
        do {
            let salt = try Random.bytes(saltLength)
            let nonce = try Random.bytes(nonceLength)
            let keys = try EnvelopeKeys(lockKey: lockKey, salt: salt)
            let header = magic + [version, algorithm] + salt + nonce + keys.commitment
            return header
                + (try AEAD.sealSecret(
                    secret, key: keys.key, nonce: nonce, associatedData: associatedData(header, identity),
                    algorithm: .aes256GCM))
        } catch {
            throw EnclaveLockError.failed("Could not seal a record", error)
        }
    }

    /// Opens an envelope; the secret goes to locked memory only.
    ///
    /// - Throws: `.openingFailed`, the same for a wrong lock key, a wrong identity and any altered or missing byte.
    public static func open(
        _ envelope: [UInt8], lockKey: borrowing SecretBytes, identity: RecordIdentity
    ) throws(EnclaveLockError) -> SecretBytes {
        guard envelope.count >= overhead, lockKey.count == lockKeyLength,
            envelope.starts(with: magic + [version, algorithm])
        else { throw .doesNotOpen }
        let header = Array(envelope[..<headerLength])
        let salt = Array(header[6..<(6 + saltLength)])
        let nonce = Array(header[(6 + saltLength)..<(6 + saltLength + nonceLength)])
        let commitment = Array(header[(6 + saltLength + nonceLength)...])
        do {
            let keys = try EnvelopeKeys(lockKey: lockKey, salt: salt)
            // The commitment is part of the associated data, so both checks always run and either refuses.
            let secret = try AEAD.openSecret(
                Array(envelope[headerLength...]), key: keys.key, nonce: nonce,
                associatedData: associatedData(header, identity), algorithm: .aes256GCM)
            guard ConstantTime.equal(commitment, keys.commitment) else { throw EnclaveLockError.doesNotOpen }
            return secret
        } catch let error as LibCryptoError where error.code != .authenticationFailed {
            throw EnclaveLockError.failed("Could not open a record", error)
        } catch let error as SecretMemoryError {
            throw EnclaveLockError.failed("Could not open a record", error)
        } catch {
            throw .doesNotOpen
        }
    }

    private static func associatedData(_ header: [UInt8], _ identity: RecordIdentity) -> [UInt8] {
        var fields = RecordFields(.envelopeHeader)
        fields.append(header)
        return fields.bytes + identity.associatedData
    }
}
