public import EnclaveLock
import Encodings
import Foundation
import PrometheusMetrics
import SecretMemory
import Synchronization
public import Token
import Workers
import WorkingKeys

/// The keystore domain over a store, a secret lock and, if there is one, a token that holds keys.
///
/// The hot path of a key that was used recently takes one short lock and no query, no token call and no change of threads; resident keys
/// take their one token call.
///
/// - Concurrency: any number of calls at once, from any task.
public final class KeystoreService: KeystoreServing {
    /// Authentic keystore rows that are remembered at most; they hold no secret.
    private static let rememberedKeystores = 10_000

    /// Off until somebody switches it on.
    public let meters = KeystoreMeters()
    let store: any KeystoreStore
    let locks: KeystoreLocks
    let resident: (any ResidentKeyOperations)?
    /// Nil: keystores with vaults are neither made nor used.
    let vaults: (any VaultOpening)?
    let documentReads = DocumentReads()
    /// Keys whose documents are being stored.
    let vaultWrites = Mutex<Set<KeyAddress>>([])
    let configuration: KeystoreConfiguration
    let openedKeys: OpenedKeyCache
    let lockKeys: LockKeyCache
    let bbs = BBSCompute()
    /// DIDs that requests of this process name.
    let didsInUse = DIDsInUse()
    let lastDIDSweep = Mutex<ContinuousClock.Instant?>(nil)
    let probes = ReadinessProbes()
    let lastReadiness = Mutex<(at: ContinuousClock.Instant, problems: [ReadinessProblem])?>(nil)
    private let keystoreRows = Mutex(KeystoreRows())
    private let clock: @Sendable () -> Date

    /// - Parameters:
    ///   - lock: Seals the lock key of every new keystore.
    ///   - resident: Holds the keys of resident keystores; nil if no token does.
    ///   - vaults: Opens the vaults that keystores name; nil if none may be used.
    public convenience init(
        store: any KeystoreStore, lock: any SecretLock, resident: (any ResidentKeyOperations)?,
        vaults: (any VaultOpening)? = nil, configuration: KeystoreConfiguration
    ) {
        self.init(
            store: store, locks: KeystoreLocks(server: lock), resident: resident, vaults: vaults,
            configuration: configuration)
    }

    /// - Parameters:
    ///   - resident: Holds the keys of resident keystores; nil if no token does.
    ///   - vaults: Opens the vaults that keystores name; nil if none may be used.
    public convenience init(
        store: any KeystoreStore, locks: KeystoreLocks, resident: (any ResidentKeyOperations)?,
        vaults: (any VaultOpening)? = nil, configuration: KeystoreConfiguration
    ) {
        self.init(
            store: store, locks: locks, resident: resident, vaults: vaults, configuration: configuration,
            clock: { Date() })
    }

    init(
        store: any KeystoreStore, locks: KeystoreLocks, resident: (any ResidentKeyOperations)?,
        vaults: (any VaultOpening)? = nil, configuration: KeystoreConfiguration, clock: @escaping @Sendable () -> Date
    ) {
        self.store = store
        self.locks = locks.measured(by: meters)
        self.resident = resident
        self.vaults = vaults
        self.configuration = configuration
        self.clock = clock
        openedKeys = OpenedKeyCache(capacity: configuration.keyCacheSize, timeToLive: configuration.lockKeyTTL)
        lockKeys = LockKeyCache(
            timeToLive: configuration.lockKeyTTL, capacity: max(1, configuration.lockKeyCacheSize))
        watchShares()
    }

    /// Seals what is the daemon's own.
    var lock: any SecretLock { locks.server }

    /// Milliseconds since 1970.
    var now: Int64 { Int64((clock().timeIntervalSince1970 * 1000).rounded(.down)) }

    /// Runs a call so that nothing but ``KMSError`` leaves it.
    func translated<R>(_ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch { throw KMSError.translate(error) }
    }

    /// Runs `body` again if locked memory ran out, after the cache has given some back. Locked memory is bounded more
    /// tightly than the cache, so that happens as soon as many different keys are in use.
    func makingRoom<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch {
            guard Self.isOutOfLockedMemory(error) else { throw error }
            openedKeys.shed()
            return try body()
        }
    }

    static func isOutOfLockedMemory(_ error: any Error) -> Bool {
        (error as? WorkingKeyError)?.code == .capacityExceeded || error is SecretMemoryError
    }

    // MARK: Opening

    /// Opens a keystore: from memory, or by the secret lock. The row is authenticated either way.
    func open(_ id: String, _ caller: Caller) async throws -> OpenKeystore {
        let start = meters.meter.start()
        defer { meters.resolve.record(since: start) }
        try IdentifierRules.checkKeystore(id)
        let (record, slots): (KeystoreRecord, LockRecord)
        let epoch = keystoreRows.withLock { $0.epoch }
        if let remembered = keystoreRows.withLock({ $0.rows.find(ExactText(id)) }) {
            (record, slots) = remembered
        } else if let stored = try await store.keystore(id) {
            (record, slots) = (stored, try LockRecord(decoding: stored.lockRecord))
        } else {
            throw KMSError.noKeystore(id)
        }
        let locks = locks.all
        // A keystore locked by shares is open to whoever presents the right one, not to whoever comes next.
        let lease = try await lockKeys.lease(
            for: id, owner: ExactText(record.controller),
            caller: slots.needsShare ? caller.share ?? CallerShare(user: "", share: nil) : nil,
            limit: slots.needsShare ? configuration.shareTTL : nil
        ) { () async throws(EnclaveLockError) in
            try await record.tokenTenant.run { () async throws(EnclaveLockError) in
                try await slots.open(
                    with: locks, tenant: record.controller, keystore: record.id, caller: caller.share)
            }
        }
        let keystore = try OpenKeystore(record: record, lease: lease, meters: meters)
        keystoreRows.withLock { rows in
            // What was read before a change may be the old row.
            guard rows.epoch == epoch else { return }
            rows.rows.insert((record, slots), ExactText(id), owner: ExactText(record.controller))
        }
        return keystore
    }

    /// For a row that was changed in the store.
    func forgetRow(of id: String) {
        keystoreRows.withLock { rows in
            rows.epoch += 1
            rows.rows.remove(ExactText(id))
        }
    }

    private struct KeystoreRows {
        var rows = FairCache<ExactText, (record: KeystoreRecord, slots: LockRecord), ExactText>(
            capacity: KeystoreService.rememberedKeystores)
        /// Counts changes.
        var epoch: UInt64 = 0
    }

    /// A key's row, authenticated.
    func row(_ address: KeyAddress, in keystore: OpenKeystore) async throws -> KeyRecord {
        guard let record = try await store.key(keystore: address.keystore, id: address.key) else {
            throw KMSError.noKey(address.key)
        }
        guard try keystore.rows.accepts(record), record.protection == keystore.protection.rawValue else {
            throw KMSError.damaged("key '\(address.key)'")
        }
        return record
    }

    /// Runs `body` with an opened key and gives its result only if the key was not revoked meanwhile.
    func use<R>(
        _ keystore: String, _ key: String, _ caller: Caller, _ body: (OpenedKey) async throws -> R
    ) async throws -> R {
        try IdentifierRules.checkKeystore(keystore)
        try IdentifierRules.checkKey(key)
        do {
            return try await attempt(KeyAddress(keystore: keystore, key: key), caller, turns: 64, body)
        } catch {
            throw KMSError.translate(error)
        }
    }

    /// Each turn but the first follows a revocation in the key's shard.
    private func attempt<R>(
        _ address: KeyAddress, _ caller: Caller, turns: Int, _ body: (OpenedKey) async throws -> R
    ) async throws -> R {
        guard turns > 0 else {
            throw KMSError(.conflict, "The key is changed by other requests all the time; try again.")
        }
        let epoch = openedKeys.epoch(address)
        let opened = try await openedKey(address, caller, epoch: epoch)
        let result = try await opened.waitsInTurn ? opened.tenant.run { try await body(opened) } : body(opened)
        if openedKeys.epoch(address) == epoch { return result }
        return try await attempt(address, caller, turns: turns - 1, body)
    }

    private func openedKey(_ address: KeyAddress, _ caller: Caller, epoch: UInt64) async throws -> OpenedKey {
        let start = meters.meter.start()
        defer { meters.getKey.record(since: start) }
        if let found = openedKeys.find(address), found.isOpen(to: caller.share) { return found }
        let opened = try await load(address, caller)
        openedKeys.insert(opened, at: address, epoch: epoch)
        return opened
    }

    private func load(_ address: KeyAddress, _ caller: Caller) async throws -> OpenedKey {
        let keystore = try await open(address.keystore, caller)
        let record = try await row(address, in: keystore)
        guard record.state == KeyState.enabled.rawValue else {
            throw KMSError(.keyDisabled, "The key '\(address.key)' is \(record.state).")
        }
        let complete = try await complete(record, in: keystore)
        return try makingRoom { try openKey(complete, in: keystore) }
    }
}
