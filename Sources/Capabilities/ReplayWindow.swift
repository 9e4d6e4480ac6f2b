internal import Synchronization

/// Remembers signatures for as long as they would be accepted, so that each is used once.
///
/// Of two parallel requests with one signature exactly one wins. Bounded: when full, new requests are refused rather
/// than old ones forgotten.
///
/// - Concurrency: any thread.
public final class ReplayWindow: Sendable {
    private struct State {
        var current: Set<ByteKey> = []
        var previous: Set<ByteKey> = []
        var turned: Int64 = 0
    }

    private let state = Mutex(State())
    private let seconds: Int64
    private let limit: Int

    /// - Parameters:
    ///   - seconds: At least twice the age up to which a signature is accepted.
    ///   - limit: Signatures remembered per window.
    ///   - earlier: Used before the start; those dated ahead stay refused for a whole window.
    public init(seconds: Int64, limit: Int = 1_000_000, earlier: EarlierSignatures = .none) {
        self.seconds = seconds
        self.limit = limit
        guard !earlier.spent.isEmpty else { return }
        state.withLock { $0 = State(current: Set(earlier.spent.map { ByteKey($0.name) }), turned: earlier.since) }
    }

    /// True the first time a signature is seen within the window.
    public func admit(_ signature: [UInt8], now: Int64) -> Bool {
        let signature = ByteKey(signature)
        return state.withLock { state in
            if now - state.turned >= seconds || now < state.turned {
                state.previous = now - state.turned >= 2 * seconds ? [] : state.current
                state.current = []
                state.turned = now
            }
            guard !state.previous.contains(signature), state.current.count < limit else { return false }
            return state.current.insert(signature).inserted
        }
    }
}
