import Capabilities
import Synchronization

/// Counts the signatures that are dated ahead by whose request they were on, so that nobody uses up what all may keep.
///
/// Rows of an earlier process have no owner any more; they are gone within a minute.
///
/// - Concurrency: any thread.
final class AheadSignatures: Sendable {
    private struct State {
        var shares: Shares<String>
        /// Seconds of their dates, and how many of each.
        // exact: counters by ids made here and names of keys; equal ones only share a bound
        var dates: [String: [Int64: Int]] = [:]
        var pruned = Int64.min
        var sure: SureTime
    }

    private let state: Mutex<State>

    private let elapsed: @Sendable () -> Duration

    /// - Parameter elapsed: Time that never jumps, since some fixed moment.
    init(limit: Int, elapsed: @escaping @Sendable () -> Duration) {
        self.elapsed = elapsed
        state = Mutex(State(shares: Shares(limit: limit), sure: SureTime(opened: elapsed())))
    }

    /// What is dated no later may be forgotten; nil if nothing may yet.
    func past(now: Int64) -> Int64? {
        let elapsed = elapsed()
        return state.withLock { $0.sure.reached(now: now, elapsed: elapsed) }
    }

    /// Whether the owner may keep another one.
    func take(_ owner: String, created: Int64, now: Int64) -> Bool {
        state.withLock { state in
            if now != state.pruned { Self.prune(&state, now) }
            guard state.shares.take(owner) else { return false }
            state.dates[owner, default: [:]][created, default: 0] += 1
            return true
        }
    }

    /// For one that was not kept after all.
    func giveBack(_ owner: String, created: Int64) {
        state.withLock { state in
            guard let count = state.dates[owner]?[created] else { return }
            state.dates[owner]?[created] = count == 1 ? nil : count - 1
            state.shares.giveBack(owner)
        }
    }

    private static func prune(_ state: inout State, _ now: Int64) {
        state.pruned = now
        for (owner, dates) in state.dates {
            let left = dates.filter { $0.key > now }
            guard left.count < dates.count else { continue }
            state.shares.giveBack(owner, dates.filter { $0.key <= now }.values.reduce(0, +))
            state.dates[owner] = left.isEmpty ? nil : left
        }
    }
}
