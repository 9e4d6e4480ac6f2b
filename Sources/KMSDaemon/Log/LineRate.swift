import Synchronization

/// Bounds how often each place of the program may log: what strangers cause must not fill a disk, nor hide what else is
/// said. What is left out is counted, and told in one line.
///
/// - Concurrency: any thread.
final class LineRate: Sendable {
    /// Lines of one place at once, and in each second after them.
    static let burst = 50.0
    static let perSecond = 10.0
    /// A count is told this long after its last line at the latest.
    private static let patience = Duration.seconds(1)

    private struct Place {
        var left = burst
        var at: ContinuousClock.Instant
        var leftOut: UInt64 = 0
        var words = ""
    }

    private struct State {
        /// As many as the program has places that log.
        var places: [String: Place] = [:]  // exact: whose lines are counted, not who may do what.
        var leftOut: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Lines left out so far.
    var leftOut: UInt64 { state.withLock { $0.leftOut } }

    /// Whether a line may be written, and how many of its place were left out before it.
    ///
    /// - Parameter words: What the line says, for the line that tells of others.
    func admit(
        _ place: String, words: String, now: ContinuousClock.Instant = .now
    ) -> (admitted: Bool, before: UInt64) {
        state.withLock { state in
            var found = state.places[place] ?? Place(at: now)
            defer { state.places[place] = found }
            found.left = min(Self.burst, found.left + max(0, (now - found.at) / .seconds(1)) * Self.perSecond)
            found.at = now
            guard found.left >= 1 else {
                found.leftOut += 1
                found.words = words
                state.leftOut += 1
                return (false, 0)
            }
            found.left -= 1
            defer { found.leftOut = 0 }
            return (true, found.leftOut)
        }
    }

    /// What was left out and has no line behind it that tells.
    func takeUntold(now: ContinuousClock.Instant = .now) -> [(words: String, count: UInt64)] {
        state.withLock { state in
            var untold: [(words: String, count: UInt64)] = []
            for (name, place) in state.places where place.leftOut > 0 && now - place.at >= Self.patience {
                untold.append((place.words, place.leftOut))
                state.places[name]?.leftOut = 0
            }
            return untold
        }
    }
}
