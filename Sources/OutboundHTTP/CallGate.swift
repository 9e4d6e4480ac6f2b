import Synchronization

/// Lets so many calls through at once; more wait for their turn, a bounded number of them.
///
/// - Concurrency: any number of calls at once.
final class CallGate: Sendable {
    /// Waiting calls at most; each has a time-out of its own.
    private static let mostWaiting = 1024

    private struct State {
        var free: Int
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var order: [UInt64] = []
        /// Cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
        var next: UInt64 = 0
    }

    private enum Entry { case admitted, refused, waits }

    private let state: Mutex<State>

    init(limit: Int) { state = Mutex(State(free: max(1, limit))) }

    /// Returns when it is the caller's turn; then ``leave()`` must follow.
    ///
    /// - Throws: `.unreachable` if too many wait, or the caller's task was cancelled.
    func enter() async throws(OutboundError) {
        let number = state.withLock { state -> UInt64 in
            state.next += 1
            return state.next
        }
        let isAdmitted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let entry = state.withLock { state -> Entry in
                    if state.cancelled.remove(number) != nil { return .refused }
                    if state.free > 0 {
                        state.free -= 1
                        return .admitted
                    }
                    guard state.waiting.count < Self.mostWaiting else { return .refused }
                    state.waiting[number] = continuation
                    state.order.append(number)
                    return .waits
                }
                switch entry {
                case .admitted: continuation.resume(returning: true)
                case .refused: continuation.resume(returning: false)
                case .waits: break
                }
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let waiting = state.waiting.removeValue(forKey: number) else {
                    // It has not begun to wait, or has its turn already.
                    state.cancelled.insert(number)
                    return nil
                }
                state.order.removeAll { $0 == number }
                return waiting
            }
            waiting?.resume(returning: false)
        }
        state.withLock { _ = $0.cancelled.remove(number) }
        guard isAdmitted else {
            throw OutboundError(.unreachable, "too many calls to other servers wait already, or this one took too long")
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            while !state.order.isEmpty {
                if let waiting = state.waiting.removeValue(forKey: state.order.removeFirst()) { return waiting }
            }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
