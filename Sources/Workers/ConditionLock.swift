import Glibc

/// State behind a lock, with a condition to wait on: the standard library's `Mutex` has none.
///
/// Public and inlinable as everything generic here: what is not is never specialised in another target.
public final class ConditionLock<State>: @unchecked Sendable {
    // @unchecked: `state` is touched only between lock and unlock of `core`, which never changes. Closures that receive the
    // state cannot be made to prove that they let nothing escape, so states hold only Sendable values.
    @usableFromInline let core = ConditionCore()
    @usableFromInline var state: State

    @inlinable public init(_ state: State) { self.state = state }

    @inlinable public func withLock<R>(_ body: (inout State) -> R) -> R {
        core.lock()
        defer { core.unlock() }
        return body(&state)
    }

    /// Wakes one waiting thread.
    @inlinable public func signal() { core.signal() }

    /// Wakes all waiting threads.
    @inlinable public func broadcast() { core.broadcast() }

    /// Sleeps until `body` has an answer; it is asked again after every wake-up, and at the latest after `pause`.
    @inlinable public func wait<R>(_ body: (inout State) -> Waiting<R>) -> R {
        core.lock()
        defer { core.unlock() }
        while true {
            switch body(&state) {
            case .done(let result): return result
            case .sleep(let pause): core.sleep(pause)
            }
        }
    }
}

/// What a thread waiting on a ``ConditionLock`` does next.
public enum Waiting<Result> {
    case done(Result)
    /// Sleep until woken, or for this long.
    case sleep(Duration?)
}

/// The lock and the condition alone.
@usableFromInline final class ConditionCore: @unchecked Sendable {
    // @unchecked: the pointers never change, and what they point to is made for threads.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    @usableFromInline init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A change of the wall clock must not stretch a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    @usableFromInline func lock() { pthread_mutex_lock(mutex) }
    @usableFromInline func unlock() { pthread_mutex_unlock(mutex) }
    @usableFromInline func signal() { pthread_cond_signal(condition) }
    @usableFromInline func broadcast() { pthread_cond_broadcast(condition) }

    /// With the lock, which is given up meanwhile.
    @usableFromInline func sleep(_ pause: Duration?) {
        guard let pause else {
            pthread_cond_wait(condition, mutex)
            return
        }
        var limit = Self.time(after: pause)
        pthread_cond_timedwait(condition, mutex, &limit)
    }

    private static func time(after pause: Duration) -> timespec {
        var limit = timespec()
        clock_gettime(CLOCK_MONOTONIC, &limit)
        let parts = pause.components
        limit.tv_sec += Int(max(0, parts.seconds))
        limit.tv_nsec += Int(max(0, parts.attoseconds) / 1_000_000_000)
        if limit.tv_nsec >= 1_000_000_000 {
            limit.tv_sec += 1
            limit.tv_nsec -= 1_000_000_000
        }
        return limit
    }
}
