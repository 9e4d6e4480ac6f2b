/// How a client follows its chain.
public struct LightClientSettings: Sendable {
    public let rules: TrustRules
    /// Whether every header is looked at instead of skipping.
    public let isSequential: Bool
    /// For one answer of a source.
    public let timeout: Duration
    /// For all answers of a source to one call, on the way to a header.
    public let patience: Duration
    /// Witnesses that must show the same header before it is trusted; at least one.
    public let minimumWitnesses: Int
    /// Signed headers that one step forward may cost.
    public let maximumHeaders: Int
    /// How far below the latest trusted height an older header is served, in blocks.
    public let maximumAge: Int64

    /// - Throws: `.settings` for a value out of range.
    public init(
        rules: TrustRules, isSequential: Bool = false, timeout: Duration = .seconds(10),
        patience: Duration = .seconds(120), minimumWitnesses: Int = 1, maximumHeaders: Int = 1_000,
        maximumAge: Int64 = 100
    ) throws(LightClientError) {
        guard timeout > .zero, timeout <= .seconds(600) else {
            throw .settings("the time-out of a source must be above 0 and at most 600 seconds")
        }
        guard patience >= timeout, patience <= .seconds(86_400) else {
            throw .settings("the patience with a source must be at least its time-out and at most a day")
        }
        guard 1...64 ~= minimumWitnesses else { throw .settings("1 to 64 witnesses must be asked for") }
        guard 1...1_000_000 ~= maximumHeaders else {
            throw .settings("the headers of one step must be 1 to 1,000,000")
        }
        guard 0...100_000 ~= maximumAge else { throw .settings("the age of a header must be 0 to 100,000 blocks") }
        self.rules = rules
        self.isSequential = isSequential
        self.timeout = timeout
        self.patience = patience
        self.minimumWitnesses = minimumWitnesses
        self.maximumHeaders = maximumHeaders
        self.maximumAge = maximumAge
    }
}
