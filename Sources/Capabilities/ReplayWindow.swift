internal import Synchronization

/// Remembers signatures for as long as they would be accepted, so that each is used once.
///
/// Places are shared, so that no owner's signatures leave none for the others'. Of two parallel requests with one signature exactly one wins. Bounded: when full, new requests are refused rather
/// than old ones forgotten.
///
/// Nothing is forgotten before both clocks say so: the one that requests are dated by, and one that nobody sets. A clock that
/// jumps ahead and is set right again has not made old what was used a moment ago.
///
/// - Concurrency: any thread.
public final class ReplayWindow: Sendable {
    private struct State {
        var current: Set<ByteKey> = []
        var previous: Set<ByteKey> = []
        /// Of ``current``.
        var shares: Shares<String>
        /// When ``current`` began, by the clock that requests are dated by and by the one that nobody sets; nil before the
        /// first signature.
        var turned: (at: Int64, after: Duration)?
    }

    /// What became of a signature.
    public enum Admission: Sendable {
        case fresh
        case used
        /// Its owner has used up what is remembered, or everybody has.
        case full
    }

    private let state: Mutex<State>
    private let seconds: Int64
    private let elapsed: @Sendable () -> Duration

    /// Time that never jumps, since some fixed moment; it goes on while the machine sleeps.
    public static let elapsed: @Sendable () -> Duration = { ContinuousClock.now - origin }
    private static let origin = ContinuousClock.now

    /// - Parameters:
    ///   - seconds: At least twice the age up to which a signature is accepted.
    ///   - limit: Signatures remembered per window.
    ///   - earlier: Used before the start; those dated ahead stay refused for a whole window.
    ///   - elapsed: Time that never jumps, since some fixed moment.
    public init(
        seconds: Int64, limit: Int = 1_000_000, earlier: EarlierSignatures = .none,
        elapsed: @escaping @Sendable () -> Duration = ReplayWindow.elapsed
    ) {
        self.seconds = seconds
        self.elapsed = elapsed
        var first = State(shares: Shares(limit: limit))
        if !earlier.spent.isEmpty {
            first.current = Set(earlier.spent.map { ByteKey($0.name) })
            first.turned = (earlier.since, elapsed())
        }
        state = Mutex(first)
    }

    /// True the first time a signature is seen within the window.
    public func admit(_ signature: [UInt8], now: Int64) -> Bool { admit(signature, owner: "", now: now) == .fresh }

    /// - Parameter owner: Whose request it is: a keystore's controller, or a token's caller.
    public func admit(_ signature: [UInt8], owner: String, now: Int64) -> Admission {
        let signature = ByteKey(signature)
        let elapsed = elapsed()
        return state.withLock { state in
            var turned = state.turned ?? (now, elapsed)
            // A clock that was set back makes signatures good again that were used, so nothing is forgotten for it.
            turned.at = min(turned.at, now)
            let passed = min(now - turned.at, (elapsed - turned.after).components.seconds)
            if passed >= seconds {
                // Also after a long time: a clock that stood behind may have let the last of them in a moment ago.
                state.previous = state.current
                state.current = []
                state.shares.removeAll()
                turned = (now, elapsed)
            }
            state.turned = turned
            guard !state.previous.contains(signature), !state.current.contains(signature) else { return .used }
            guard state.shares.take(owner) else { return .full }
            state.current.insert(signature)
            return .fresh
        }
    }
}
