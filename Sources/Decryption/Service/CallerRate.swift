import Encodings
import Synchronization

/// A bucket of questions for each caller, filled at one rate. Bounded: the fullest buckets are forgotten first, since a full
/// one says nothing.
final class CallerRate: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: ContinuousClock.Instant
    }

    private static let most = 10_000
    private let perSecond: Double
    private let buckets = Mutex<[ExactText: Bucket]>([:])

    /// - Parameter perSecond: 0 for no bound. A caller may use two seconds' worth at once.
    init(perSecond: Int) { self.perSecond = Double(perSecond) }

    func take(_ caller: String, now: ContinuousClock.Instant = .now) throws(DecryptionError) {
        guard perSecond > 0 else { return }
        let depth = 2 * perSecond
        let isAllowed = buckets.withLock { buckets in
            var bucket = buckets[ExactText(caller)] ?? Bucket(tokens: depth, filled: now)
            let passed = (now - bucket.filled) / .seconds(1)
            bucket.tokens = min(depth, bucket.tokens + passed * perSecond)
            bucket.filled = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            if buckets.count >= Self.most, buckets[ExactText(caller)] == nil {
                buckets = buckets.filter { (now - $0.value.filled) / .seconds(1) * perSecond + $0.value.tokens < depth }
                // Everybody is at work: the newcomer is the one to wait.
                if buckets.count >= Self.most { return false }
            }
            buckets[ExactText(caller)] = bucket
            return isAllowed
        }
        guard isAllowed else {
            throw DecryptionError(.exhausted, "rate", "too many questions of this caller; try again in a second")
        }
    }
}
