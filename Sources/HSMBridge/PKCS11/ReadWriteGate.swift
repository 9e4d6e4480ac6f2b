import Glibc

/// A reader-writer lock that prefers writers, with a limit on how long a writer waits.
final class ReadWriteGate: @unchecked Sendable {
    // @unchecked: the pointer never changes; pthread_rwlock_t is made for use by many threads at its one address.
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        lock = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        // Without this a steady stream of calls would keep a re-initialisation out.
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    /// Runs beside other readers. Not reentrant.
    @inline(__always)
    func shared<R>(_ body: () -> R) -> R {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return body()
    }

    /// Runs alone; nil if the readers do not leave within `patience` (nil waits without end).
    @discardableResult
    func exclusive<R>(patience: Duration?, _ body: () -> R) -> R? {
        if let patience {
            var limit = timespec()
            clock_gettime(CLOCK_REALTIME, &limit)
            let parts = patience.components
            limit.tv_sec += Int(parts.seconds)
            limit.tv_nsec += Int(parts.attoseconds / 1_000_000_000)
            if limit.tv_nsec >= 1_000_000_000 {
                limit.tv_sec += 1
                limit.tv_nsec -= 1_000_000_000
            }
            guard pthread_rwlock_timedwrlock(lock, &limit) == 0 else { return nil }
        } else {
            pthread_rwlock_wrlock(lock)
        }
        defer { pthread_rwlock_unlock(lock) }
        return body()
    }
}
