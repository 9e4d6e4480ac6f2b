import Synchronization

/// A question that may take long, asked by people who cannot wait: one is under way at a time, and whoever asks meanwhile
/// joins it.
///
/// - Concurrency: any number of calls at once.
public final class TimedProbe<Answer: Sendable>: Sendable {
    private struct State {
        var began: ContinuousClock.Instant?
        var waiting: [UInt64: CheckedContinuation<Answer?, Never>] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// The answer; nil if it does not come in time, and at once if the question has been under way for longer.
    ///
    /// - Parameter question: Goes on after nil was given; the next asker may get its answer.
    public func ask(within limit: Duration, _ question: @escaping @Sendable () async -> Answer) async -> Answer? {
        await withCheckedContinuation { continuation in
            let now = ContinuousClock.now
            let (number, begins) = state.withLock { state -> (UInt64?, Bool) in
                if let began = state.began, now - began >= limit { return (nil, false) }
                let begins = state.began == nil
                if begins { state.began = now }
                state.next += 1
                state.waiting[state.next] = continuation
                return (state.next, begins)
            }
            guard let number else { return continuation.resume(returning: nil) }
            Task {
                try? await Task.sleep(for: limit)
                self.state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
            }
            guard begins else { return }
            Task {
                let answer = await question()
                let waiting = self.state.withLock { state in
                    defer {
                        state.waiting = [:]
                        state.began = nil
                    }
                    return state.waiting.values
                }
                for continuation in waiting { continuation.resume(returning: answer) }
            }
        }
    }
}
