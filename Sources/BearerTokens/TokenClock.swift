import Glibc

/// The two clocks a verifier reads.
public struct TokenClock: Sendable {
    /// Seconds since 1970.
    public var now: @Sendable () -> Int64
    /// Time that never goes back, since some fixed moment.
    public var elapsed: @Sendable () -> Duration

    public init(now: @escaping @Sendable () -> Int64, elapsed: @escaping @Sendable () -> Duration) {
        self.now = now
        self.elapsed = elapsed
    }

    /// The machine's clocks.
    public static let system = TokenClock(
        now: { Int64(time(nil)) }, elapsed: { ContinuousClock.Instant.now - Self.origin })

    private static let origin = ContinuousClock.Instant.now
}
