import Synchronization

/// A bucket of signatures for each key, filled at a steady rate.
///
/// - Concurrency: any number of calls at once.
final class RateLimiter: Sendable {
    private struct Bucket {
        var left: Double
        var at: ContinuousClock.Instant
    }

    /// Most keys remembered; when there are more, full buckets are forgotten, which changes nothing.
    private static let capacity = 100_000

    private let perSecond: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    /// - Parameter perSecond: 0 for no bound.
    init(perSecond: Int) { self.perSecond = Double(perSecond) }

    /// Takes one signature out of the key's bucket; false if it is empty.
    func admit(_ key: String, now: ContinuousClock.Instant = .now) -> Bool {
        guard perSecond > 0 else { return true }
        return buckets.withLock { buckets in
            if buckets.count >= Self.capacity, buckets[key] == nil {
                buckets = buckets.filter { filled($0.value, now) < perSecond }
                if buckets.count >= Self.capacity { return false }
            }
            let left = buckets[key].map { filled($0, now) } ?? perSecond
            guard left >= 1 else {
                buckets[key] = Bucket(left: left, at: now)
                return false
            }
            buckets[key] = Bucket(left: left - 1, at: now)
            return true
        }
    }

    private func filled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        let seconds = (now - bucket.at) / .seconds(1)
        return min(perSecond, bucket.left + max(0, seconds) * perSecond)
    }
}
