import EnclaveLock
import Encodings
import SecretMemory
import Token

/// How far keystores open with the lock slots of the home.
public struct RecoveryReach: Sendable, Equatable, Encodable {
    /// Keystores that any lock slot opens.
    public var reached = 0
    /// Keystores that only their own lock opens, by its name.
    public var waiting: [String: Int] = [:]  // exact: names of locks, this program's own.
    /// Keystores that are locked by their callers' shares and stay so.
    public var byShares = 0
    /// Keystores whose row is damaged.
    public var damaged = 0

    public init() {}

    /// Keystores that only their own lock opens.
    public var waitingTotal: Int { waiting.values.reduce(0, +) }
}

extension KeystoreService {
    /// Keystores that are changed at once: enough that they share flushes.
    private static let recoveryBatch = 32

    /// Counts what a store holds, as its rows say: nothing is opened.
    ///
    /// - Parameter identity: Of the recovery lock; nil in a home without lock slots.
    public static func reach(of identity: String?, in store: any KeystoreStore) async throws -> RecoveryReach {
        var reach = RecoveryReach()
        try await eachKeystore(in: store) { page in
            for record in page {
                guard let slots = try? LockRecord(decoding: record.lockRecord) else {
                    reach.damaged += 1
                    continue
                }
                if slots.needsShare {
                    reach.byShares += 1
                } else if slots.slots.contains(where: { $0.kind == .recovery && $0.identity.isExactly(identity ?? "") })
                {
                    reach.reached += 1
                } else {
                    reach.waiting[slots.slots[0].kind.name, default: 0] += 1
                }
            }
        }
        return reach
    }

    /// Lets every lock slot of the home open every keystore that its own lock opens now. What is reached already is passed over,
    /// so a run that was interrupted is begun again.
    ///
    /// - Parameter progress: Is told how many more were looked at.
    /// - Throws: What the locks and the store throw; what was done until then stays.
    public func reachWithRecovery(progress: @escaping @Sendable (Int) -> Void) async throws -> RecoveryReach {
        guard let recovery = locks.recovery else { throw KMSError(.invalidArgument, "This home has no lock slots.") }
        return try await translated {
            var reach = RecoveryReach()
            try await reachDIDKeys(with: recovery)
            try await Self.eachKeystore(in: store) { page in
                try await withThrowingTaskGroup(of: Reached.self) { group in
                    for record in page { group.addTask { try await self.reach(record, with: recovery) } }
                    for try await outcome in group {
                        switch outcome {
                        case .reached: reach.reached += 1
                        case .byShares: reach.byShares += 1
                        case .damaged: reach.damaged += 1
                        case .waiting(let kind): reach.waiting[kind, default: 0] += 1
                        }
                        progress(1)
                    }
                }
            }
            return reach
        }
    }

    private enum Reached {
        case reached, byShares, damaged
        /// The lock that alone opens it is not configured.
        case waiting(String)
    }

    private func reach(_ record: KeystoreRecord, with recovery: any SecretLock) async throws -> Reached {
        guard var slots = try? LockRecord(decoding: record.lockRecord) else { return .damaged }
        if slots.needsShare { return .byShares }
        if slots.hasSlot(of: recovery) { return .reached }
        let key: SharedSecret
        do {
            let (found, locks) = (slots, locks.all)
            key = try await record.tokenTenant.run {
                try await found.open(with: locks, tenant: record.controller, keystore: record.id)
            }
        } catch let error as EnclaveLockError where error.code == .noMatchingSlot {
            return .waiting(slots.slots[0].kind.name)
        } catch let error as EnclaveLockError where error.code == .openingFailed {
            return .damaged
        }
        let rows = try RowAuthenticator(lockKey: key)
        // A row that was edited gets no authenticator that fits.
        guard try rows.accepts(record) else { return .damaged }
        try await slots.add(key, with: recovery, tenant: record.controller, keystore: record.id, createdAt: now)
        var changed = record
        changed.lockRecord = try slots.encoded()
        changed.authenticator = try rows.authenticator(of: changed)
        guard try await store.updateLockRecord(changed, expecting: record.authenticator) else {
            throw KMSError(.conflict, "The keystore '\(record.id)' was changed meanwhile; try again.")
        }
        forgetRow(of: record.id)
        return .reached
    }

    private static func eachKeystore(
        in store: any KeystoreStore, _ body: ([KeystoreRecord]) async throws -> Void
    ) async throws {
        var after: String?
        // Each page starts behind the last keystore of the one before, so the loop ends.
        while true {
            let page = try await store.keystores(controller: nil, after: after, limit: recoveryBatch)
            guard let last = page.last else { return }
            try await body(page)
            after = last.id
        }
    }
}
