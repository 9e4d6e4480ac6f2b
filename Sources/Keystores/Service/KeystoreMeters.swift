public import PrometheusMetrics

/// What the keystore service measures while its meter is on.
public final class KeystoreMeters: Sendable {
    public let meter = Meter()
    /// Finding and opening a keystore.
    public let resolve = Histogram()
    /// Finding a key, opened or to be opened.
    public let getKey = Histogram()
    /// Making a signature, with the key at hand.
    public let sign = Histogram()
    /// What locks take.
    public let locks = LockMeters()

    public init() {}
}

/// What a store measures while its meter is on, by TrustBloc's names of operations.
public final class StoreMeters: Sendable {
    public let meter = Meter()
    public let get = Histogram()
    public let put = Histogram()
    public let query = Histogram()
    public let delete = Histogram()
    public let batch = Histogram()

    public init() {}
}
