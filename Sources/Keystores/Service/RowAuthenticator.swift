import EnclaveLock
import Encodings
import LibCrypto
import SecretMemory

/// Authenticates the plain columns of a keystore's rows, so that no state, date, provenance or public key can be edited
/// in the database.
///
/// HMAC-SHA-256 under a key derived from the keystore's lock key, over the canonical fields of `docs/FORMATS.md`.
struct RowAuthenticator: Sendable {
    private let key: SharedSecret

    init(lockKey: SharedSecret) throws {
        key = SharedSecret(
            try lockKey.withSecret {
                try HKDF.sha256(inputKey: $0, salt: [], info: Labels.rowAuthenticationKey.bytes, count: 32)
            })
    }

    func authenticator(of record: KeystoreRecord) throws -> [UInt8] {
        var fields = RecordFields(.keystoreRow)
        fields.append(record.id)
        fields.append(record.controller)
        fields.append(record.protection)
        fields.append(record.lockRecord)
        fields.append(optional: record.capability)
        fields.append(UInt64(bitPattern: record.createdAt))
        if let vault = record.vault {
            fields.append(Labels.keystoreVault.bytes)
            fields.append(vault)
        }
        return try key.withSecret { try HMAC.sha256(key: $0, fields.bytes) }
    }

    /// The versions' numbers and dates are covered; their sealed bytes authenticate themselves.
    func authenticator(of record: KeyRecord) throws -> [UInt8] {
        var fields = RecordFields(.keyRow)
        for text in [record.keystore, record.id, record.type, record.state, record.protection, record.provenance] {
            fields.append(text)
        }
        fields.append(UInt64(bitPattern: record.createdAt))
        fields.append(optional: record.destroyAt.map { time in withUnsafeBytes(of: time.bigEndian) { Array($0) } })
        fields.append(optional: record.publicKey)
        fields.append(UInt64(record.versions.count))
        for version in record.versions {
            fields.append(version.version)
            fields.append(UInt64(bitPattern: version.createdAt))
        }
        return try key.withSecret { try HMAC.sha256(key: $0, fields.bytes) }
    }

    func accepts(_ record: KeystoreRecord) throws -> Bool {
        ConstantTime.equal(try authenticator(of: record), record.authenticator)
    }

    func accepts(_ record: KeyRecord) throws -> Bool {
        ConstantTime.equal(try authenticator(of: record), record.authenticator)
    }
}
