import Glibc

/// State behind a lock, with a condition to wait on: the standard library's `Mutex` has none.
package final class ConditionLock<State>: @unchecked Sendable {
    // @unchecked: `state` is touched only between lock and unlock of `mutex`; the pointers never change. Closures that
    // receive the state cannot be made to prove that they let nothing escape, so states hold only Sendable values.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: State) {
        self.state = state
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

    package func withLock<R>(_ body: (inout State) -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Wakes one waiting thread.
    package func signal() { pthread_cond_signal(condition) }

    /// Wakes all waiting threads.
    package func broadcast() { pthread_cond_broadcast(condition) }

    /// Sleeps until `body` has an answer; it is asked again after every wake-up, and at the latest after `pause`.
    package func wait<R>(_ body: (inout State) -> Waiting<R>) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state) {
            case .done(let result): return result
            case .sleep(nil): pthread_cond_wait(condition, mutex)
            case .sleep(let pause?):
                var limit = Self.time(after: pause)
                pthread_cond_timedwait(condition, mutex, &limit)
            }
        }
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

/// What a thread waiting on a ``ConditionLock`` does next.
package enum Waiting<Result> {
    case done(Result)
    /// Sleep until woken, or for this long.
    case sleep(Duration?)
}
