/// A time of the clock that requests are dated by which has surely come.
///
/// That clock may jump ahead and be set right again, and what was forgotten meanwhile would count as new. So time goes on here
/// as a clock counts that nobody sets, from the lowest that was ever shown.
struct SureTime {
    /// How far requests may be dated ahead, at most (GNAP): after as long, nothing of an earlier process counts any more,
    /// whatever the clock showed at its end and at this one's beginning.
    static let longestLead = Duration.seconds(60)

    private let opened: Duration
    private var base: (at: Int64, after: Duration)?

    /// - Parameter elapsed: Of the clock that nobody sets.
    init(opened elapsed: Duration) { opened = elapsed }

    /// - Parameters:
    ///   - now: Seconds since 1970, by the clock that requests are dated by.
    ///   - elapsed: Of the clock that nobody sets.
    /// - Returns: Seconds since 1970; nil while it is not known.
    mutating func reached(now: Int64, elapsed: Duration) -> Int64? {
        var reached = now
        if let base { reached = min(now, base.at + (elapsed - base.after).components.seconds) }
        if base == nil || reached == now { base = (now, elapsed) }
        return elapsed - opened < Self.longestLead ? nil : reached
    }
}
