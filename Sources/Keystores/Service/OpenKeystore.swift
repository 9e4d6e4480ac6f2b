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

    /// A row that was found authentic under a lock key: with the same key it is so again.
    private final class Authentic: Sendable {
        let record: KeystoreRecord
        let rows: RowAuthenticator

        init(record: KeystoreRecord, rows: RowAuthenticator) {
            self.record = record
            self.rows = rows
        }
    }

    /// - Throws: ``KMSError`` for a row that is not authentic.
    init(record: KeystoreRecord, lease: LockKeyCache.Lease, meters: KeystoreMeters) throws {
        self.meters = meters
        if let known = lease.findings.load(Authentic.self), known.record == record {
            // The one that was authenticated: equal texts need not have equal bytes.
            (self.record, rows) = (known.record, known.rows)
        } else {
            (self.record, rows) = (record, try RowAuthenticator(lockKey: lease.key))
            guard try rows.accepts(record) else { throw KMSError.damaged("keystore '\(record.id)'") }
            lease.findings.store(Authentic(record: record, rows: rows))
        }
        guard let protection = Protection(rawValue: record.protection) else {
            throw KMSError.damaged("keystore '\(record.id)'")
        }
        vault = try self.record.vault.map { try VaultRecord(decoding: $0) }
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
