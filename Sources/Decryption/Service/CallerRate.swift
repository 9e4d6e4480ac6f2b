import Encodings
import Synchronization

/// A bucket of questions for each caller, filled at one rate. Bounded: when there are as many buckets as there may be, those
/// are forgotten first that are full, since a full one says nothing, then the fullest, so that a newcomer is never locked out.
final class CallerRate: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: ContinuousClock.Instant
        /// When a refusal was told last.
        var told: ContinuousClock.Instant?

        func tokens(at now: ContinuousClock.Instant, perSecond: Double) -> Double {
            min(2 * perSecond, tokens + (now - filled) / .seconds(1) * perSecond)
        }
    }

    /// What came of it.
    enum Verdict: Equatable {
        case allowed
        /// - Parameter isNew: Whether it is the first refusal of this caller for some time.
        case refused(isNew: Bool)
    }

    private static let most = 10_000
    /// Refusals of one caller are told once in this time.
    private static let quiet = Duration.seconds(60)
    private let perSecond: Double
    private let most: Int
    private let buckets = Mutex<[ExactText: Bucket]>([:])

    /// - Parameters:
    ///   - perSecond: 0 for no bound. A caller may use two seconds' worth at once.
    ///   - most: Buckets at most.
    init(perSecond: Int, most: Int = CallerRate.most) {
        self.perSecond = Double(perSecond)
        self.most = max(1, most)
    }

    /// Callers that have a bucket now.
    var count: Int { buckets.withLock { $0.count } }

    /// - Parameter cost: In questions; what is cheap to answer costs less than one.
    func take(_ caller: String, cost: Double = 1, now: ContinuousClock.Instant = .now) -> Verdict {
        guard perSecond > 0 else { return .allowed }
        let (perSecond, most) = (perSecond, most)
        return buckets.withLock { buckets in
            let key = ExactText(caller)
            if buckets[key] == nil, buckets.count >= most { Self.makeRoom(&buckets, most, perSecond, now) }
            var bucket = buckets[key] ?? Bucket(tokens: 2 * perSecond, filled: now)
            bucket.tokens = bucket.tokens(at: now, perSecond: perSecond)
            bucket.filled = now
            defer { buckets[key] = bucket }
            guard bucket.tokens >= cost else {
                let isNew = bucket.told.map { now - $0 >= Self.quiet } ?? true
                if isNew { bucket.told = now }
                return .refused(isNew: isNew)
            }
            bucket.tokens -= cost
            return .allowed
        }
    }

    /// Forgets an eighth at least, so that newcomers one after the other do not look through all buckets each.
    private static func makeRoom(
        _ buckets: inout [ExactText: Bucket], _ most: Int, _ perSecond: Double, _ now: ContinuousClock.Instant
    ) {
        buckets = buckets.filter { $0.value.tokens(at: now, perSecond: perSecond) < 2 * perSecond }
        let surplus = buckets.count - (most - max(1, most / 8))
        guard surplus > 0 else { return }
        let fullest = buckets.map { (key: $0.key, tokens: $0.value.tokens(at: now, perSecond: perSecond)) }
            .sorted { $0.tokens > $1.tokens }
        for (key, _) in fullest.prefix(surplus) { buckets[key] = nil }
    }
}
