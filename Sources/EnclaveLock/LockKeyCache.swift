public import Encodings
public import SecretMemory
import Synchronization
import Workers

/// Keystore lock keys that were opened a short while ago, in locked memory.
///
/// A lifetime of zero keeps nothing: every call asks the lock. Otherwise concurrent calls for one keystore share one
/// opening, and a sweeper drops every key when its time is over, used or not; the bytes are wiped with the last
/// reference. Time is monotonic.
///
/// - Concurrency: any number of calls at once; the lock inside is held for a dictionary access.
public final class LockKeyCache: Sendable {
    /// An opened lock key and when everything opened with it must be gone.
    public struct Lease: Sendable {
        public let key: SharedSecret
        /// Now or in the past if nothing may be kept.
        public let expires: ContinuousClock.Instant
        /// With whose share it was opened; nil if none was needed.
        public var caller: CallerShare?
        /// What was found out with the key; it goes when the key goes.
        public let findings = Findings()
    }

    /// A place for one value.
    public final class Findings: Sendable {
        private let value = Mutex<(any Sendable)?>(nil)

        public func load<Value: Sendable>(_ type: Value.Type) -> Value? { value.withLock { $0 } as? Value }
        public func store(_ value: some Sendable) { self.value.withLock { $0 = value } }
    }

    private struct Opening {
        let number: UInt64
        let caller: CallerShare?
        let task: Task<Result<Lease, EnclaveLockError>, Never>
    }

    private struct State {
        var leases: [ExactText: Lease] = [:]
        /// Whose they are, by a hash with this process's own seed.
        var owners: [ExactText: Int] = [:]
        var places: FairPlaces<Int>
        var openings: [ExactText: Opening] = [:]
        var nextNumber: UInt64 = 0
        var sweeper: Task<Void, Never>?

        mutating func keep(_ lease: Lease, of keystore: ExactText, owner: Int) {
            drop(keystore)
            leases[keystore] = lease
            owners[keystore] = owner
            places.take(owner)
        }

        mutating func drop(_ keystore: ExactText) {
            guard leases.removeValue(forKey: keystore) != nil, let owner = owners.removeValue(forKey: keystore)
            else { return }
            places.giveBack(owner)
        }

        /// Drops the key that expires first, of those that may make room for this owner's.
        mutating func makeRoom(for owner: Int) {
            var found: (ExactText, ContinuousClock.Instant)?
            var oldest: (ExactText, ContinuousClock.Instant)?
            for (keystore, lease) in leases {
                if oldest.map({ lease.expires < $0.1 }) ?? true { oldest = (keystore, lease.expires) }
                guard found.map({ lease.expires < $0.1 }) ?? true,
                    owners[keystore].map({ places.mayLose($0, to: owner) }) ?? true
                else { continue }
                found = (keystore, lease.expires)
            }
            if let keystore = (found ?? oldest)?.0 { drop(keystore) }
        }
    }

    private let timeToLive: Duration
    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - timeToLive: Zero keeps nothing.
    ///   - capacity: Most keys held; the one that expires first makes room, of those of whoever has more than an equal part.
    public init(timeToLive: Duration, capacity: Int) {
        precondition(capacity > 0, "a cache holds at least one key")
        self.timeToLive = timeToLive
        self.capacity = capacity
        state = Mutex(State(places: FairPlaces(capacity: capacity)))
    }

    deinit { state.withLock { $0.sweeper?.cancel() } }

    /// How many lock keys are in memory.
    public var count: Int { state.withLock { $0.leases.count } }

    /// Gives a keystore's lock key, opening it if it is not here.
    ///
    /// - Parameters:
    ///   - owner: Whose keystore it is.
    ///   - caller: Who presents a share, for a keystore that needs one. A key opened with another share is neither given
    ///     nor waited for: the lock is asked again, and nothing is kept.
    ///   - limit: Bounds the lifetime further.
    ///   - open: Asks the lock. It runs to its end even if this caller is cancelled, because others may wait.
    /// - Throws: what `open` throws; a failure is not kept.
    public func lease(
        for keystore: String, owner: ExactText? = nil, caller: CallerShare? = nil, limit: Duration? = nil,
        open: @escaping @Sendable () async throws(EnclaveLockError) -> SharedSecret
    ) async throws(EnclaveLockError) -> Lease {
        let lifetime = min(timeToLive, limit ?? timeToLive)
        guard lifetime > .zero else {
            return Lease(key: try await open(), expires: ContinuousClock.now, caller: caller)
        }
        let task: Task<Result<Lease, EnclaveLockError>, Never>
        switch join(keystore, owner, caller, lifetime, open) {
        case .kept(let lease): return lease
        case .opening(let running): task = running
        case .another: return Lease(key: try await open(), expires: ContinuousClock.now, caller: caller)
        }
        return try await task.value.get()
    }

    /// Drops a keystore's lock key; an opening under way is not kept either.
    public func forget(_ keystore: String) {
        state.withLock { state in
            state.drop(ExactText(keystore))
            state.openings[ExactText(keystore)] = nil
        }
    }

    /// Drops the lock keys that a user's shares opened; those being opened now are not kept either.
    ///
    /// - Returns: How many were dropped.
    @discardableResult
    public func forget(openedBy user: String) -> Int {
        func isHis(_ caller: CallerShare?) -> Bool { caller?.user.utf8.elementsEqual(user.utf8) == true }
        return state.withLock { state in
            let before = state.leases.count
            for (keystore, lease) in state.leases where isHis(lease.caller) { state.drop(keystore) }
            state.openings = state.openings.filter { !isHis($0.value.caller) }
            return before - state.leases.count
        }
    }

    /// A key that is in memory, and when it was asked for; nil if it is not or no longer.
    public func kept(_ keystore: String) -> (key: SharedSecret, since: ContinuousClock.Instant)? {
        state.withLock { state in
            guard let lease = state.leases[ExactText(keystore)], lease.expires > ContinuousClock.now else { return nil }
            return (lease.key, lease.expires - timeToLive)
        }
    }

    private enum Found {
        case kept(Lease)
        case opening(Task<Result<Lease, EnclaveLockError>, Never>)
        /// Somebody else's.
        case another
    }

    /// A keystore that needs no share has no caller on either side.
    private static func admits(_ opener: CallerShare?, _ caller: CallerShare?) -> Bool {
        guard let opener else { return caller == nil }
        return opener.matches(caller)
    }

    private func join(
        _ keystore: String, _ owner: ExactText?, _ caller: CallerShare?, _ lifetime: Duration,
        _ open: @escaping @Sendable () async throws(EnclaveLockError) -> SharedSecret
    ) -> Found {
        state.withLock { state in
            if let lease = state.leases[ExactText(keystore)], lease.expires > ContinuousClock.now {
                return Self.admits(lease.caller, caller) ? .kept(lease) : .another
            }
            if let opening = state.openings[ExactText(keystore)] {
                return Self.admits(opening.caller, caller) ? .opening(opening.task) : .another
            }
            state.nextNumber += 1
            let number = state.nextNumber
            let task = Task { [weak self] () -> Result<Lease, EnclaveLockError> in
                let result: Result<Lease, EnclaveLockError>
                do throws(EnclaveLockError) {
                    // The time counts from before the opening, so it is never longer than configured.
                    let expires = ContinuousClock.now + lifetime
                    result = .success(Lease(key: try await open(), expires: expires, caller: caller))
                } catch {
                    result = .failure(error)
                }
                self?.finish(keystore, owner, number, result)
                return result
            }
            state.openings[ExactText(keystore)] = Opening(number: number, caller: caller, task: task)
            return .opening(task)
        }
    }

    private func finish(
        _ keystore: String, _ owner: ExactText?, _ number: UInt64, _ result: Result<Lease, EnclaveLockError>
    ) {
        state.withLock { state in
            // Absent or another number: forgotten meanwhile, so the result serves its waiters and is not kept.
            guard state.openings[ExactText(keystore)]?.number == number else { return }
            state.openings[ExactText(keystore)] = nil
            guard case .success(let lease) = result else { return }
            let owner = owner?.hashValue ?? 0
            if state.leases.count >= capacity { state.makeRoom(for: owner) }
            state.keep(lease, of: ExactText(keystore), owner: owner)
            if state.sweeper == nil { state.sweeper = makeSweeper() }
        }
    }

    /// Sleeps until the earliest expiry, over and over, and ends when nothing is kept.
    private func makeSweeper() -> Task<Void, Never> {
        Task { [weak self] in
            while !Task.isCancelled {
                guard let next = self?.sweep() else { return }
                try? await Task.sleep(until: next, clock: .continuous)
            }
        }
    }

    /// Drops what has expired; nil when nothing is left, and then the sweeper has ended.
    private func sweep() -> ContinuousClock.Instant? {
        state.withLock { state in
            let now = ContinuousClock.now
            for (keystore, lease) in state.leases where lease.expires <= now { state.drop(keystore) }
            let next = state.leases.values.map(\.expires).min()
            if next == nil { state.sweeper = nil }
            return next
        }
    }
}
