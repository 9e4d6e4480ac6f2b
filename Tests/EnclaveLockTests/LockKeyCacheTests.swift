import EnclaveLock
import Encodings
import SecretMemory
import Synchronization
import TestSupport
import Testing

@Suite("Lock key cache", .timeLimit(.minutes(10))) struct LockKeyCacheTests {
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

    @Test func withinItsLifetimeAKeyIsOpenedOnce() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 8), Source())
        let first = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        let second = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        #expect(first.key === second.key)
        #expect(source.count == 1)
    }

    @Test func namesThatDifferInTheSpellingOfALetterAreDifferentNames() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 8), Source())
        for name in ["Zo\u{eb}", "Zoe\u{308}"] {
            _ = try await cache.lease(for: name) { () async throws(EnclaveLockError) in try await source.open() }
        }
        #expect(source.count == 2 && cache.count == 2)
        cache.forget("Zo\u{eb}")
        #expect(cache.count == 1)
    }

    @Test func oneOwnersManyKeystoresDoNotPushOutAnothersFew() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(600), capacity: 16), Source())
        func lease(_ keystore: String, of owner: String) async throws {
            _ = try await cache.lease(for: keystore, owner: ExactText(owner)) { () async throws(EnclaveLockError) in
                try await source.open()
            }
        }
        // The oldest, which would be the first to go.
        try await lease("quiet", of: "quiet")
        for number in 0..<100 { try await lease("flood \(number)", of: "flood") }
        #expect(cache.count == 16 && cache.kept("quiet") != nil)
        // More owners than places: the cache stays bounded.
        for number in 0..<100 { try await lease("one \(number)", of: "owner \(number)") }
        #expect(cache.count == 16)
        for number in 0..<100 where cache.kept("flood \(number)") != nil { cache.forget("flood \(number)") }
        #expect(cache.kept("one 99") != nil)
    }

    @Test func aLifetimeOfZeroAsksEveryTimeAndKeepsNothing() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .zero, capacity: 8), Source())
        for _ in 0..<5 {
            let lease = try await cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
            #expect(lease.expires <= ContinuousClock.now)
        }
        #expect(source.count == 5)
        #expect(cache.count == 0)
    }

    @Test func concurrentCallsShareOneOpening() async throws {
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

    @Test func anExpiredKeyIsGoneFromMemoryAlthoughNobodyAsksAgain() async throws {
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

    @Test func itHoldsNoMoreThanItsCapacity() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 4), Source())
        for index in 0..<20 {
            _ = try await cache.lease(for: "\(index)") { () async throws(EnclaveLockError) in
                try await source.open()
            }
        }
        #expect(cache.count == 4)
    }

    @Test func aFailureIsNotKept() async throws {
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

    @Test func forgettingDuringAnOpeningKeepsItsResultOut() async throws {
        let (cache, source) = (LockKeyCache(timeToLive: .seconds(60), capacity: 4), Source(delay: .milliseconds(100)))
        async let lease = cache.lease(for: "a") { () async throws(EnclaveLockError) in try await source.open() }
        try await eventually("the opening has begun") { source.count > 0 }
        cache.forget("a")
        #expect(try await lease.key.count == 32)
        #expect(cache.count == 0)
    }
}
