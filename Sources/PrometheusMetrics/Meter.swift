import Synchronization

/// A switch that histograms share: while it is off, nothing is timed.
///
/// - Concurrency: any thread.
public final class Meter: Sendable {
    private let isOn = Atomic<Bool>(false)

    public init() {}

    public func switchOn() { isOn.store(true, ordering: .relaxed) }

    /// The start of a measurement; nil while the switch is off.
    public func start() -> ContinuousClock.Instant? { isOn.load(ordering: .relaxed) ? ContinuousClock.now : nil }
}
