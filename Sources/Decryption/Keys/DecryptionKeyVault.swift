public import EnclaveLock
import SecretMemory
public import TFHE
import Token

/// Takes TFHE keys into keeping and opens them for use.
///
/// The bits lie in an envelope under a lock key of their own, which the daemon's secret lock seals. An opened lock key stays in
/// locked memory for the lock's time to live; the bits are opened for one request and wiped after it. The token guards the key
/// at rest only: it cannot compute a TFHE decryption, so in use the bits are in this process's memory.
///
/// - Concurrency: any number of calls at once.
public final class DecryptionKeyVault: Sendable {
    public let store: any DecryptionKeyStoring
    /// The first seals; any opens.
    private let locks: [any SecretLock]
    private let cache: LockKeyCache

    public init(store: any DecryptionKeyStoring, locks: [any SecretLock], timeToLive: Duration) {
        self.store = store
        self.locks = locks
        cache = LockKeyCache(timeToLive: timeToLive, capacity: 64)
    }

    /// Seals and stores a key, and opens it once from what was stored.
    ///
    /// - Parameters:
    ///   - allowsPublished: For tests: keys that everybody knows are refused otherwise.
    ///   - now: Unix seconds.
    public func take(
        _ key: ClientKey, as id: String, allowsPublished: Bool = false, now: Int64
    ) async throws(DecryptionError) -> DecryptionKeyRecord {
        guard DecryptionKeyRecord.isName(id) else {
            throw .invalid("malformed-key-id", "a key's name is 1 to 64 ASCII letters and digits")
        }
        guard try await store.key(id) == nil else {
            throw DecryptionError(
                .alreadyExists, "key-exists", "there is a key of that name, or was; names are not used twice")
        }
        guard let lock = locks.first else { throw .failed("no secret lock is configured") }
        let (fingerprint, isPublished) = try facts(of: key)
        guard allowsPublished || !isPublished else {
            throw .denied("published-key", "this key stands in a public repository: it guards nothing")
        }
        var record = DecryptionKeyRecord(
            id: id, parameters: key.parameters, state: .enabled, fingerprint: fingerprint, lockKind: lock.kind,
            lockIdentity: lock.identity, sealedLockKey: [], envelope: [], createdAt: now)
        do {
            let lockKey = SharedSecret(try SecretBytes.random(count: Envelope.lockKeyLength))
            let identity = record.identity
            record.envelope = try lockKey.withSecret { lockKey in
                try key.withPackedBits { bits in try Envelope.seal(bits, lockKey: lockKey, identity: identity) }
            }
            record.sealedLockKey = try await lock.seal(lockKey, identity: record.lockKeyIdentity)
        } catch { throw Self.translate(error) }
        // What cannot be opened again is not taken.
        guard try facts(of: await open(record)).fingerprint == fingerprint else {
            throw .failed("the lock opened another key than it sealed")
        }
        try await store.insert(record)
        return record
    }

    /// Opens a key for one request.
    ///
    /// - Throws: `precondition` for a key that is disabled or destroyed; `unavailable` while the lock is away.
    public func open(_ record: DecryptionKeyRecord) async throws(DecryptionError) -> ClientKey {
        try Self.check(record)
        guard let lock = locks.first(where: { $0.kind == record.lockKind && $0.identity == record.lockIdentity })
        else {
            throw DecryptionError(
                .precondition, "key-lock", "the key '\(record.id)' is sealed by a lock that is not configured")
        }
        do {
            // Sealed anew under another lock, or imported again elsewhere, it is another entry.
            let lease = try await cache.lease(for: "\(record.id)/\(record.lockIdentity)/\(record.createdAt)") {
                () async throws(EnclaveLockError) in
                try await lock.open(record.sealedLockKey, identity: record.lockKeyIdentity)
            }
            let bits = try lease.key.withSecret { lockKey in
                try Envelope.open(record.envelope, lockKey: lockKey, identity: record.identity)
            }
            return try ClientKey(packed: bits, parameters: record.parameters)
        } catch { throw Self.translate(error) }
    }

    /// - Throws: `precondition` for a key that is disabled or destroyed.
    static func check(_ record: DecryptionKeyRecord) throws(DecryptionError) {
        switch record.state {
        case .enabled: break
        case .disabled: throw DecryptionError(.precondition, "key-disabled", "the key '\(record.id)' is disabled")
        case .destroyed: throw DecryptionError(.precondition, "key-destroyed", "the key '\(record.id)' is destroyed")
        }
    }

    /// Drops opened lock keys of a key whose state has changed.
    public func forget(_ record: DecryptionKeyRecord) {
        cache.forget("\(record.id)/\(record.lockIdentity)/\(record.createdAt)")
    }

    private func facts(of key: ClientKey) throws(DecryptionError) -> (fingerprint: [UInt8], isPublished: Bool) {
        do { return (try key.fingerprint(), try key.isPublished()) } catch {
            throw .failed("the key could not be hashed")
        }
    }

    static func translate(_ error: any Error) -> DecryptionError {
        switch error {
        case let error as DecryptionError: error
        case let error as HSMError: translate(error)
        case let error as EnclaveLockError:
            if let cause = error.cause {
                translate(cause)
            } else if error.code == .remoteFailed {
                DecryptionError(.unavailable, "lock-away", "the secret lock did not answer")
            } else {
                DecryptionError(.failed, "key-does-not-open", "the key does not open under its lock")
            }
        case is SecretMemoryError:
            DecryptionError(.exhausted, "locked-memory", "there is no locked memory for a key now")
        default: .failed("a key could not be opened")
        }
    }

    static func translate(_ error: HSMError) -> DecryptionError {
        switch error.code {
        case .tokenUnavailable, .tokenNotFound, .deadlineExceeded, .lockedOut, .deviceFailure:
            DecryptionError(.unavailable, "token-away", "the token did not answer; try again later")
        case .overloaded: DecryptionError(.unavailable, "token-busy", "the token is busy; try again later")
        case .keyMissing:
            DecryptionError(.precondition, "no-result-key", "the token was provisioned without a key for results")
        default: DecryptionError(.failed, "token-failed", "the token failed")
        }
    }
}
