import LibCrypto
import SecretMemory
import Token

/// How a TPM seals: the key of each record is an HMAC that only the TPM can compute, and lives in this process for one
/// operation on that record.
///
///     key    = TPM2_HMAC(role's key, "kmsd/tpm/record-key/v1" ‖ 0 ‖ role ‖ 0 ‖ salt ‖ SHA-256(context))
///     sealed = version(1) = 2 ‖ salt(32) ‖ AES-256-GCM(key, nonce = 0, data = version ‖ salt ‖ context)
///
/// A salt is random and used once, so each key seals one message and its nonce may be fixed (NIST SP 800-38D, section
/// 8.2, asks for uniqueness per key). Whoever reads this process's memory learns the keys of the records open at that
/// moment, never the role's key, and nothing about other records.
enum RecordKeys {
    static let version: UInt8 = 2
    static let saltLength = 32
    static let overhead = 1 + saltLength + 16
    static let contextLengths = 1...4096
    private static let label = Array("kmsd/tpm/record-key/v1".utf8) + [0]

    static func checkContext(_ context: [UInt8]) throws(HSMError) {
        guard contextLengths.contains(context.count) else {
            throw HSMError(.invalidArgument, "A context has 1 to 4096 bytes, not \(context.count).")
        }
    }

    /// What the TPM computes the record's key from.
    static func message(role: KeyRole, salt: [UInt8], context: [UInt8]) throws(HSMError) -> [UInt8] {
        do {
            return label + Array(role.rawValue.utf8) + [0] + salt + (try Digest.sha256(context))
        } catch {
            throw HSMError(.deviceFailure, "Could not hash a context: \(error).")
        }
    }

    static func seal(
        _ plaintext: SharedSecret, key: SharedSecret, salt: [UInt8], context: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        let header = [version] + salt
        do {
            return header
                + (try key.withSecret { key throws(LibCryptoError) in
                    try plaintext.withSecret { plaintext throws(LibCryptoError) in
                        try AEAD.sealSecret(
                            plaintext, key: key, nonce: nonce, associatedData: header + context,
                            algorithm: .aes256GCM)
                    }
                })
        } catch {
            throw HSMError(.deviceFailure, "Could not seal: \(error).")
        }
    }

    /// The salt of a sealed record.
    ///
    /// - Throws: `.authenticationFailed` if it has not the form of one.
    static func salt(of sealed: [UInt8]) throws(HSMError) -> [UInt8] {
        guard sealed.count >= overhead, sealed[0] == version else { throw HSMError.notAuthentic }
        return Array(sealed[1...saltLength])
    }

    static func open(_ sealed: [UInt8], key: SharedSecret, context: [UInt8]) throws(HSMError) -> SharedSecret {
        let header = Array(sealed.prefix(1 + saltLength))
        do {
            return SharedSecret(
                try key.withSecret { key throws(LibCryptoError) in
                    try AEAD.openSecret(
                        Array(sealed.dropFirst(1 + saltLength)), key: key, nonce: nonce,
                        associatedData: header + context, algorithm: .aes256GCM)
                })
        } catch {
            if error.code == .authenticationFailed { throw HSMError.notAuthentic }
            throw HSMError(.overloaded, "Could not open: \(error).")
        }
    }

    private static let nonce = [UInt8](repeating: 0, count: 12)
}
