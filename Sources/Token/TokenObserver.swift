/// Sees what becomes of a token: for metrics, traces and logs.
///
/// - Concurrency: called on the token's own threads; it must return at once.
public protocol TokenObserver: Sendable {
    /// The token's health changed; called once per change.
    func healthDidChange(to health: TokenHealth)
}

extension TokenObserver {
    public func healthDidChange(to health: TokenHealth) {}
}

/// Observes nothing.
public struct SilentObserver: TokenObserver {
    public init() {}
}
