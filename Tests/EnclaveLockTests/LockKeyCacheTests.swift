import EnclaveLock
import SecretMemory
import Synchronization
import Testing

@Suite("Lock key cache") struct LockKeyCacheTests {
    /// Counts how often a lock is asked.
    final class Source: Sendable {
        let asked = Mutex(0)
        let delay: Duration
        init(delay: Duration = .zero) { self.delay = delay }
        var count: Int { asked.withLock { $0 } }

        func open() async throws(EnclaveLockError) -> SharedSecret {
            asked.withLock { $0 += 1 }
            if delay > .zero { try? await Task.sleep(for: delay) }
            do { return SharedSecret(try SecretBytes.random(count: 32)) } catch {
                throw EnclaveLockError(.internalFailure, "\(error)")
            }
        }
    }

    @Test("Within its lifetime a key is opened once") func kept() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 8), Source())
        let first = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        let second = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        #expect(first.key === second.key)
        #expect(source.count == 1)
    }

    @Test("A lifetime of zero asks every time and keeps nothing") func zero() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .zero, capacity: 8), Source())
        for _ in 0..<5 {
            let lease = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
            #expect(lease.expires <= ContinuousClock.now)
        }
        #expect(source.count == 5)
        #expect(cache.count == 0)
    }

    @Test("Concurrent calls share one opening") func singleFlight() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 8), Source(delay: .milliseconds(50)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    _ = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in
                        try await source.open()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(source.count == 1)
    }

    @Test("An expired key is gone from memory although nobody asks again") func swept() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .milliseconds(60), capacity: 8), Source())
        weak var weakKey: SharedSecret?
        weakKey =
            try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }.key
        for _ in 0..<500 where cache.count > 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(cache.count == 0)
        #expect(weakKey == nil)
        _ = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        #expect(source.count == 2)
        // The sweeper began anew.
        for _ in 0..<500 where cache.count > 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(cache.count == 0)
    }

    @Test("It holds no more than its capacity") func bounded() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 4), Source())
        for index in 0..<20 {
            _ = try await cache.lease(for: "\(index)") { () async throws(EnclaveLockError) in
                try await source.open()
            }
        }
        #expect(cache.count == 4)
    }

    @Test("A failure is not kept") func failure() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 4), Source())
        let error = await #expect(throws: EnclaveLockError.self) {
            try await cache.lease(for: "a") { () async throws(EnclaveLockError) in
                throw EnclaveLockError(.tokenFailed, "away")
            }
        }
        #expect(error?.code == .tokenFailed)
        _ = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        #expect(source.count == 1)
    }

    @Test("Forgetting during an opening keeps its result out") func forgotten() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 4), Source(delay: .milliseconds(100)))
        async let lease = cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        while source.count == 0 { try await Task.sleep(for: .milliseconds(5)) }
        cache.forget("a")
        #expect(try await lease.key.count == 32)
        #expect(cache.count == 0)
    }
}
