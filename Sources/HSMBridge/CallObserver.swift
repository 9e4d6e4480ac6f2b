public import Token

/// Sees every call into a token module: for metrics, traces and debug logs.
///
/// It never sees arguments or results other than the return value, so it cannot leak a PIN or a key.
///
/// - Concurrency: called on the token's own threads, between calls of a request; it must return at once.
public protocol CallObserver: TokenObserver {
    /// One call ended.
    func didCall(_ function: StaticString, returned value: ReturnValue, duration: Duration)
}

extension CallObserver {
    public func didCall(_ function: StaticString, returned value: ReturnValue, duration: Duration) {}
}

extension SilentObserver: CallObserver {}
