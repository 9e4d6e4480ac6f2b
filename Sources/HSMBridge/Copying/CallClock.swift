import Synchronization
import Token

/// Knows when the last call into a module ended: one that never ends is noticed, and a long copy is none.
final class CallClock: CallObserver {
    private let state = Mutex((last: ContinuousClock.now, isOver: false))

    func didCall(_ function: StaticString, returned value: ReturnValue, duration: Duration) {
        state.withLock { $0.last = .now }
    }

    /// The work is done.
    func end() { state.withLock { $0.isOver = true } }

    /// Waits a little; false once the work is over or no call ended for so long.
    func isRunning(within limit: Duration) async -> Bool {
        try? await Task.sleep(for: .milliseconds(200))
        return state.withLock { !$0.isOver && ContinuousClock.now - $0.last < limit }
    }
}
