import ServiceLifecycle
import Synchronization

/// Runs something to its end, but no longer than a time after graceful shutdown began.
enum BoundedEnd {
    /// - Parameter drain: After graceful shutdown began; then `body` is cancelled and waited for no longer.
    /// - Returns: Whether `body` ended.
    static func run(_ drain: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        let work = Task { try await body() }
        let race = Race()
        let limit = Task {
            await untilShutdown()
            try? await Task.sleep(for: drain)
            work.cancel()
            race.finish(nil)
        }
        let finish = Task { race.finish(await work.result) }
        let result = await withTaskCancellationHandler {
            await race.result()
        } onCancel: {
            // Everything that waits here returns at once then.
            limit.cancel()
        }
        limit.cancel()
        finish.cancel()
        try result?.get()
        return result != nil
    }

    /// The first result, for one who waits.
    private final class Race: Sendable {
        private enum State {
            case running
            case awaited(CheckedContinuation<Result<Void, any Error>?, Never>)
            case over(Result<Void, any Error>?)
        }

        private let state = Mutex(State.running)

        func finish(_ result: Result<Void, any Error>?) {
            let waiting = state.withLock { state -> CheckedContinuation<Result<Void, any Error>?, Never>? in
                switch state {
                case .over: return nil
                case .running:
                    state = .over(result)
                    return nil
                case .awaited(let continuation):
                    state = .over(result)
                    return continuation
                }
            }
            waiting?.resume(returning: result)
        }

        func result() async -> Result<Void, any Error>? {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Result<Void, any Error>?? in
                    if case .over(let result) = state { return .some(result) }
                    state = .awaited(continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }
}
