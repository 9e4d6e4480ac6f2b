internal import Synchronization

/// Remembers signatures for as long as they would be accepted, so that each is used once.
///
/// Places are shared, so that no owner's signatures leave none for the others'. Of two parallel requests with one signature exactly one wins. Bounded: when full, new requests are refused rather
/// than old ones forgotten.
///
/// - Concurrency: any thread.
public final class ReplayWindow: Sendable {
    private struct State {
        var current: Set<ByteKey> = []
        var previous: Set<ByteKey> = []
        /// Of ``current``.
        var shares: Shares<String>
        var turned: Int64 = 0
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

    /// - Parameters:
    ///   - seconds: At least twice the age up to which a signature is accepted.
    ///   - limit: Signatures remembered per window.
    ///   - earlier: Used before the start; those dated ahead stay refused for a whole window.
    public init(seconds: Int64, limit: Int = 1_000_000, earlier: EarlierSignatures = .none) {
        self.seconds = seconds
        var first = State(shares: Shares(limit: limit))
        if !earlier.spent.isEmpty {
            first.current = Set(earlier.spent.map { ByteKey($0.name) })
            first.turned = earlier.since
        }
        state = Mutex(first)
    }

    /// True the first time a signature is seen within the window.
    public func admit(_ signature: [UInt8], now: Int64) -> Bool { admit(signature, owner: "", now: now) == .fresh }

    /// - Parameter owner: Whose request it is: a keystore's controller, or a token's caller.
    public func admit(_ signature: [UInt8], owner: String, now: Int64) -> Admission {
        let signature = ByteKey(signature)
        return state.withLock { state in
            // A clock that was set back makes signatures good again that were used, so nothing is forgotten for it.
            if now < state.turned { state.turned = now }
            if now - state.turned >= seconds {
                state.previous = now - state.turned >= 2 * seconds ? [] : state.current
                state.current = []
                state.shares.removeAll()
                state.turned = now
            }
            guard !state.previous.contains(signature), !state.current.contains(signature) else { return .used }
            guard state.shares.take(owner) else { return .full }
            state.current.insert(signature)
            return .fresh
        }
    }
}
