import LibCrypto
import SecretMemory
import Token

/// Authorization values of objects: what the TPM wants to see proved before it uses a key.
enum Authorization {
    /// Shortest secret for keys without the TPM's lockout: 16 bytes cannot be guessed at a TPM's speed, nor faster from
    /// anything that the daemon stores.
    static let shortestWithoutLockout = 16
    private static let label = Array("kmsd/tpm/authorization/v1".utf8)

    /// The value of our keys: HKDF-SHA-256 of the PIN (RFC 5869), 32 bytes, because a TPM takes no longer ones.
    static func ofKeys(_ source: PINSource, lockout: Bool) throws(HSMError) -> SharedSecret {
        let pin = try source.load()
        guard lockout || pin.count >= shortestWithoutLockout else {
            throw HSMError(
                .pinSourceRefused,
                "'\(source)' holds fewer than \(shortestWithoutLockout) bytes. Without the TPM's lockout that could be "
                    + "guessed: write 16 random bytes or more, or add 'lockout=on' to token-uri.")
        }
        do {
            return SharedSecret(try HKDF.sha256(inputKey: pin, salt: [], info: label, count: 32))
        } catch {
            throw HSMError(.overloaded, "Could not derive an authorization value: \(error).")
        }
    }

    /// The owner hierarchy's value as the operator set it; at most 32 bytes.
    static func ofOwner(_ source: PINSource?) throws(HSMError) -> SharedSecret? {
        guard let source else { return nil }
        let value = try source.load()
        guard value.count <= 32 else {
            throw HSMError(.pinSourceRefused, "'\(source)' holds more than the 32 bytes of an owner authorization.")
        }
        return SharedSecret(value)
    }
}
