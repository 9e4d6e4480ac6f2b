import EnclaveLock
import Synchronization

/// What is known of another server's key from the calls made so far, so that who asks for readiness makes few calls of his
/// own.
///
/// - Concurrency: any thread; those who ask at once share one call.
final class LockStanding: Sendable {
    /// How long an answer is good for, whatever it is.
    static let lifetime = Duration.seconds(10)

    typealias Outcome = Result<Void, EnclaveLockError>

    private struct State {
        var last: (outcome: Outcome, at: ContinuousClock.Instant)?
        var refusal: EnclaveLockError?
        var running: Task<Outcome, Never>?
        /// What the last probe sealed.
        var sample: [UInt8]?
    }

    private let state = Mutex(State())

    /// The last refusal that does not pass; nil since a call succeeded.
    var refusal: EnclaveLockError? { state.withLock { $0.refusal } }

    var sample: [UInt8]? {
        get { state.withLock { $0.sample } }
        set { state.withLock { $0.sample = newValue } }
    }

    /// A call succeeded.
    func works() {
        state.withLock { state in
            state.refusal = nil
            state.last = (.success(()), .now)
        }
    }

    /// A call failed: for good, or in a way that may pass.
    func fails(_ error: EnclaveLockError) {
        guard !error.isPassing else { return }
        state.withLock { state in
            state.refusal = error
            state.last = (.failure(error), .now)
        }
    }

    /// The outcome of a call of the last seconds, or of the one that `call` makes now.
    func probe(_ call: @escaping @Sendable () async -> Outcome) async -> Outcome {
        enum Found {
            case known(Outcome)
            case running(Task<Outcome, Never>)
        }
        let found = state.withLock { state -> Found in
            if let last = state.last, last.at + Self.lifetime > .now { return .known(last.outcome) }
            if let running = state.running { return .running(running) }
            let task = Task { [weak self] in
                let outcome = await call()
                self?.state.withLock { state in
                    state.last = (outcome, .now)
                    state.running = nil
                }
                return outcome
            }
            state.running = task
            return .running(task)
        }
        switch found {
        case .known(let outcome): return outcome
        case .running(let task): return await task.value
        }
    }
}
