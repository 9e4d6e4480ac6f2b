import Synchronization

/// Waits for an answer, but not for longer than a time, even if whoever answers does not heed cancellation.
enum Deadline {
    static func run<Value: Sendable>(
        _ limit: Duration, late: String,
        _ body: @escaping @Sendable () async -> Result<Value, LightClientError>
    ) async throws(LightClientError) -> Value {
        let race = Race<Value>()
        let answer = Task { race.finish(await body()) }
        let alarm = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            race.finish(.failure(LightClientError(.unavailable, late)))
        }
        defer {
            answer.cancel()
            alarm.cancel()
        }
        return try await withTaskCancellationHandler {
            await race.result()
        } onCancel: {
            race.finish(.failure(LightClientError(.unavailable, "the wait for a source was cancelled")))
        }.get()
    }
}

/// The first result wins.
///
/// - Concurrency: any thread.
private final class Race<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, LightClientError>

    private enum State {
        case open
        case awaited(CheckedContinuation<Outcome, Never>)
        case finished(Outcome)
    }

    private let state = Mutex(State.open)

    func finish(_ outcome: Outcome) {
        let waiter: CheckedContinuation<Outcome, Never>? = state.withLock { state in
            switch state {
            case .finished: return nil
            case .open:
                state = .finished(outcome)
                return nil
            case .awaited(let waiter):
                state = .finished(outcome)
                return waiter
            }
        }
        waiter?.resume(returning: outcome)
    }

    /// Called once.
    func result() async -> Outcome {
        await withCheckedContinuation { waiter in
            let outcome: Outcome? = state.withLock { state in
                if case .finished(let outcome) = state { return outcome }
                state = .awaited(waiter)
                return nil
            }
            if let outcome { waiter.resume(returning: outcome) }
        }
    }
}
