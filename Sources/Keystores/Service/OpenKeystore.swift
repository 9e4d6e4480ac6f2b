import EnclaveLock
import Encodings
import PrometheusMetrics
import SecretMemory
import Token

/// A keystore whose lock key is open and whose row is authentic: what is needed to seal and open its keys.
///
/// It lives for one request; the lock key stays in the cache or is wiped with it.
struct OpenKeystore: Sendable {
    let record: KeystoreRecord
    let protection: Protection
    /// Nil for a keystore whose keys' sealed bytes are here.
    let vault: VaultRecord?
    let lease: LockKeyCache.Lease
    let rows: RowAuthenticator
    private let meters: KeystoreMeters

    /// - Throws: ``KMSError`` for a row that is not authentic.
    init(record: KeystoreRecord, lease: LockKeyCache.Lease, meters: KeystoreMeters) throws {
        self.meters = meters
        rows = try RowAuthenticator(lockKey: lease.key)
        guard try rows.accepts(record), let protection = Protection(rawValue: record.protection) else {
            throw KMSError.damaged("keystore '\(record.id)'")
        }
        self.record = record
        vault = try record.vault.map { try VaultRecord(decoding: $0) }
        self.protection = protection
        self.lease = lease
    }

    /// Whose it is: all of a controller's keystores are one tenant's.
    var tenant: TokenTenant { record.tokenTenant }

    var lockKey: SharedSecret { lease.key }
    /// When everything opened with the lock key must be gone.
    var expires: ContinuousClock.Instant { lease.expires }
    /// With whose share it was opened; nil if it needs none.
    var caller: CallerShare? { lease.caller }

    private func identity(key: String, type: String, version: UInt64) -> RecordIdentity {
        RecordIdentity(
            tenant: record.controller, keystore: record.id, key: key, type: type, version: version)
    }

    func seal(_ secret: SharedSecret, key: String, type: String, version: UInt64) throws -> [UInt8] {
        let start = meters.meter.start()
        defer { meters.locks.key.encrypt.record(since: start) }
        return try lockKey.withSecret { lockKey in
            try secret.withSecret { secret in
                try Envelope.seal(
                    secret, lockKey: lockKey, identity: identity(key: key, type: type, version: version))
            }
        }
    }

    func open(_ version: KeyRecord.Version, of record: KeyRecord) throws -> SharedSecret {
        let start = meters.meter.start()
        defer { meters.locks.key.decrypt.record(since: start) }
        return SharedSecret(
            try lockKey.withSecret { lockKey in
                try Envelope.open(
                    version.sealed, lockKey: lockKey,
                    identity: identity(key: record.id, type: record.type, version: version.version))
            })
    }
}
