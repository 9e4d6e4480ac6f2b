public import SecretMemory
import Synchronization

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
    }

    private struct Opening {
        let number: UInt64
        let caller: CallerShare?
        let task: Task<Result<Lease, EnclaveLockError>, Never>
    }

    private struct State {
        var leases: [String: Lease] = [:]
        var openings: [String: Opening] = [:]
        var nextNumber: UInt64 = 0
        var sweeper: Task<Void, Never>?
    }

    private let timeToLive: Duration
    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - timeToLive: Zero keeps nothing.
    ///   - capacity: Most keys held; the one that expires first makes room.
    public init(timeToLive: Duration, capacity: Int) {
        precondition(capacity > 0, "a cache holds at least one key")
        self.timeToLive = timeToLive
        self.capacity = capacity
    }

    deinit { state.withLock { $0.sweeper?.cancel() } }

    /// How many lock keys are in memory.
    public var count: Int { state.withLock { $0.leases.count } }

    /// Gives a keystore's lock key, opening it if it is not here.
    ///
    /// - Parameters:
    ///   - caller: Who presents a share, for a keystore that needs one. A key opened with another share is neither given
    ///     nor waited for: the lock is asked again, and nothing is kept.
    ///   - limit: Bounds the lifetime further.
    ///   - open: Asks the lock. It runs to its end even if this caller is cancelled, because others may wait.
    /// - Throws: what `open` throws; a failure is not kept.
    public func lease(
        for keystore: String, caller: CallerShare? = nil, limit: Duration? = nil,
        open: @escaping @Sendable () async throws(EnclaveLockError) -> SharedSecret
    ) async throws(EnclaveLockError) -> Lease {
        let lifetime = min(timeToLive, limit ?? timeToLive)
        guard lifetime > .zero else {
            return Lease(key: try await open(), expires: ContinuousClock.now, caller: caller)
        }
        let task: Task<Result<Lease, EnclaveLockError>, Never>
        switch join(keystore, caller, lifetime, open) {
        case .kept(let lease): return lease
        case .opening(let running): task = running
        case .another: return Lease(key: try await open(), expires: ContinuousClock.now, caller: caller)
        }
        return try await task.value.get()
    }

    /// Drops a keystore's lock key; an opening under way is not kept either.
    public func forget(_ keystore: String) {
        state.withLock { state in
            state.leases[keystore] = nil
            state.openings[keystore] = nil
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
        _ keystore: String, _ caller: CallerShare?, _ lifetime: Duration,
        _ open: @escaping @Sendable () async throws(EnclaveLockError) -> SharedSecret
    ) -> Found {
        state.withLock { state in
            if let lease = state.leases[keystore], lease.expires > ContinuousClock.now {
                return Self.admits(lease.caller, caller) ? .kept(lease) : .another
            }
            if let opening = state.openings[keystore] {
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
                self?.finish(keystore, number, result)
                return result
            }
            state.openings[keystore] = Opening(number: number, caller: caller, task: task)
            return .opening(task)
        }
    }

    private func finish(_ keystore: String, _ number: UInt64, _ result: Result<Lease, EnclaveLockError>) {
        state.withLock { state in
            // Absent or another number: forgotten meanwhile, so the result serves its waiters and is not kept.
            guard state.openings[keystore]?.number == number else { return }
            state.openings[keystore] = nil
            guard case .success(let lease) = result else { return }
            if state.leases.count >= capacity,
                let first = state.leases.min(by: { $0.value.expires < $1.value.expires })
            {
                state.leases[first.key] = nil
            }
            state.leases[keystore] = lease
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
            for (keystore, lease) in state.leases where lease.expires <= now { state.leases[keystore] = nil }
            let next = state.leases.values.map(\.expires).min()
            if next == nil { state.sweeper = nil }
            return next
        }
    }
}
