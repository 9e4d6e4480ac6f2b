import Synchronization

/// How long something takes: a Prometheus histogram with the library defaults' buckets, 5 ms to 10 s.
///
/// - Concurrency: any thread; two atomic additions a record, no lock.
public final class Histogram: Sendable {
    /// Upper bounds in seconds; what is longer falls into the last bucket, without bound.
    public static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let limits: [UInt64] = bounds.map { UInt64($0 * 1e9) }

    /// One per bucket; 12 of them.
    private let buckets: InlineArray<12, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }
    private let nanoseconds = Atomic<UInt64>(0)

    public init() {}

    /// Records a duration; a negative one counts as none.
    public func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let time = UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds) / 1_000_000_000)
        var index = 0
        while index < Self.limits.count, time > Self.limits[index] { index += 1 }
        buckets[index].wrappingAdd(1, ordering: .relaxed)
        nanoseconds.wrappingAdd(time, ordering: .relaxed)
    }

    /// Records the time since `start`; nothing for nil, which is how a switched-off meter starts.
    public func record(since start: ContinuousClock.Instant?) {
        if let start { record(ContinuousClock.now - start) }
    }

    /// Counts up to each bound, the last one without bound, and the sum of all times in seconds.
    func snapshot() -> (cumulative: [UInt64], sum: Double) {
        var cumulative: [UInt64] = []
        var total: UInt64 = 0
        for index in 0..<12 {
            total &+= buckets[index].load(ordering: .relaxed)
            cumulative.append(total)
        }
        return (cumulative, Double(nanoseconds.load(ordering: .relaxed)) / 1e9)
    }
}
