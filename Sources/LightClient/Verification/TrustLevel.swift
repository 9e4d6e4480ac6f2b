/// How much of the trusted power must have signed a header that is not the next one: more than this part of it.
///
/// At least a third, since less may all be dishonest; at most all.
public struct TrustLevel: Sendable, Hashable {
    public let numerator: Int64
    public let denominator: Int64

    public static let oneThird = TrustLevel(unchecked: 1, 3)

    /// - Throws: `.settings` below 1/3 and above 1.
    public init(numerator: Int64, denominator: Int64) throws(LightClientError) {
        guard 1...1_000_000 ~= denominator, numerator >= 1, numerator <= denominator, numerator * 3 >= denominator
        else { throw .settings("the trust level must be 1/3 to 1, with a denominator of at most 1,000,000") }
        self.init(unchecked: numerator, denominator)
    }

    private init(unchecked numerator: Int64, _ denominator: Int64) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// ⌊total · level⌋, which a tally must exceed.
    func threshold(of total: Int64) -> Int64 {
        // No level is above 1, so the quotient fits.
        denominator.dividingFullWidth(total.multipliedFullWidth(by: numerator)).quotient
    }
}

/// The rules that an operator chooses.
public struct TrustRules: Sendable, Hashable {
    public let chainID: String
    /// Seconds that a header may be trusted after its own time. Must be well below the chain's unbonding time: later,
    /// its validators have nothing left to lose.
    public let trustingPeriod: Int64
    /// Seconds that a header's time may be ahead of this machine's clock.
    public let clockDrift: Int64
    public let trustLevel: TrustLevel
    /// Seconds after its own time in which the latest trusted header is served; nil for as long as it is trusted. A node that
    /// keeps newer blocks back can have an older state believed for so long.
    public let headAge: Int64?

    /// A week.
    public static let defaultTrustingPeriod: Int64 = 168 * 3_600
    /// Ten seconds.
    public static let defaultClockDrift: Int64 = 10
    /// Ten years: an operator who writes more has made a mistake.
    static let longestPeriod: Int64 = 10 * 366 * 86_400
    static let largestDrift: Int64 = 3_600

    /// - Throws: `.settings` for an empty or overlong chain id, a period outside 1 second to ten years, a drift outside 0 to
    ///   an hour or not below the period, an age of the head below 1 second.
    public init(
        chainID: String, trustingPeriod: Int64 = defaultTrustingPeriod, clockDrift: Int64 = defaultClockDrift,
        trustLevel: TrustLevel = .oneThird, headAge: Int64? = nil
    ) throws(LightClientError) {
        guard 1...ChainLimits.chainIDLength ~= chainID.utf8.count else {
            throw .settings("the chain id must have 1 to \(ChainLimits.chainIDLength) bytes")
        }
        guard 1...Self.longestPeriod ~= trustingPeriod else {
            throw .settings("the trusting period must be 1 to \(Self.longestPeriod) seconds")
        }
        guard 0...Self.largestDrift ~= clockDrift, clockDrift < trustingPeriod else {
            throw .settings("the clock drift must be 0 to \(Self.largestDrift) seconds and below the trusting period")
        }
        if let headAge {
            guard 1...Self.longestPeriod ~= headAge else {
                throw .settings("the age of the head must be 1 to \(Self.longestPeriod) seconds")
            }
        }
        self.chainID = chainID
        self.trustingPeriod = trustingPeriod
        self.clockDrift = clockDrift
        self.trustLevel = trustLevel
        self.headAge = headAge
    }
}
