import Synchronization

/// A bucket for each name, filled at a steady rate.
///
/// - Concurrency: any number of calls at once.
package final class RateLimiter<Name: Hashable & Sendable>: Sendable {
    private struct Bucket {
        var left: Double
        var at: ContinuousClock.Instant
    }

    private struct State {
        var buckets: [Name: Bucket] = [:]
        /// For the names that find no place.
        var others: Bucket?
    }

    private let size: Double
    private let perSecond: Double
    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - perSecond: 0 for no bound. A bucket holds what comes in one second.
    ///   - capacity: Most names remembered. When there are more, full buckets are forgotten, which changes nothing; if
    ///     none is full, new names share one bucket.
    init(perSecond: Int, capacity: Int = 100_000) {
        size = Double(perSecond)
        self.perSecond = Double(perSecond)
        self.capacity = capacity
    }

    /// - Parameter size: What a full bucket holds.
    package init(size: Double, perSecond: Double, capacity: Int) {
        self.size = size
        self.perSecond = perSecond
        self.capacity = capacity
    }

    /// Whether nothing was taken lately.
    func isFull(_ name: Name, now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            state.buckets[name].map { filled($0, now) >= size } ?? (state.buckets.count < capacity)
        }
    }

    /// Whether something is left in the bucket; takes nothing.
    func hasLeft(_ name: Name, now: ContinuousClock.Instant = .now) -> Bool {
        guard perSecond > 0 else { return true }
        return state.withLock { state in
            if let bucket = state.buckets[name] { return filled(bucket, now) >= 1 }
            guard state.buckets.count >= capacity, let others = state.others else { return true }
            return filled(others, now) >= 1
        }
    }

    /// Takes one out of the bucket; false if it is empty.
    @discardableResult
    package func admit(_ name: Name, now: ContinuousClock.Instant = .now) -> Bool {
        guard perSecond > 0 else { return true }
        return state.withLock { state in
            if state.buckets.count >= capacity, state.buckets[name] == nil {
                state.buckets = state.buckets.filter { filled($0.value, now) < size }
                guard state.buckets.count < capacity else { return take(&state.others, now) }
            }
            return take(&state.buckets[name], now)
        }
    }

    private func take(_ bucket: inout Bucket?, _ now: ContinuousClock.Instant) -> Bool {
        let left = bucket.map { filled($0, now) } ?? size
        bucket = Bucket(left: left >= 1 ? left - 1 : left, at: now)
        return left >= 1
    }

    private func filled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        let seconds = (now - bucket.at) / .seconds(1)
        return min(size, bucket.left + max(0, seconds) * perSecond)
    }
}
