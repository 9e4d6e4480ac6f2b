import Token
import Workers

/// The bounded queue in front of the worker's thread, and what is known about the TPM.
///
/// - Concurrency: any thread; one short critical section per call.
final class TPMQueue: Sendable {
    enum Work {
        case job(TPMJob)
        /// Nothing to do for a while.
        case idle
        case stop
    }

    private struct State {
        init(limit: Int, closed: HSMError, manifest: TokenManifest?) {
            waiting = FairQueue(limit: limit)
            self.closed = closed
            self.manifest = manifest
        }

        /// Why jobs are refused; nil while they are taken.
        var closed: HSMError?
        var waiting: FairQueue<TokenTenant, TPMJob>
        var isStarted = false
        var isStopping = false
        var isEnded = false
        var health = TokenHealth.starting
        var manifest: TokenManifest?
        var residentAlgorithms: Set<ResidentAlgorithm> = []
        var connections = 0
    }

    private let limit: Int
    private let state: ConditionLock<State>

    init(limit: Int, manifest: TokenManifest?) {
        self.limit = limit
        state = ConditionLock(
            State(
                limit: limit, closed: HSMError(.tokenUnavailable, "The TPM is not connected yet."), manifest: manifest))
    }

    // MARK: Requests

    /// Queues a job, or rejects it at once.
    func enqueue(_ job: TPMJob) {
        let tenant = TokenTenant.current
        let refusal: HSMError? = state.withLock { state in
            if let error = state.closed { return error }
            guard state.waiting.append(job, of: tenant) else {
                return HSMError(
                    .overloaded, "\(state.waiting.count) requests already wait for the TPM, of \(limit) at most.")
            }
            return nil
        }
        if let refusal { job.reject(refusal) } else { state.signal() }
    }

    var health: TokenHealth { state.withLock { $0.health } }
    var residentAlgorithms: Set<ResidentAlgorithm> { state.withLock { $0.residentAlgorithms } }
    var connections: Int { state.withLock { $0.connections } }

    var manifest: TokenManifest? {
        get { state.withLock { $0.manifest } }
        set { state.withLock { $0.manifest = newValue } }
    }

    // MARK: Life

    /// - Returns: Whether the worker is to be started now.
    func start() -> Bool {
        state.withLock { state in
            if state.isStarted || state.isStopping { return false }
            state.isStarted = true
            return true
        }
    }

    /// Refuses jobs from now on and ends the worker after its current one.
    func stop() {
        close(HSMError(.tokenUnavailable, "The TPM is being shut down.")) { $0.isStopping = true }
        state.broadcast()
    }

    func end() { state.withLock { $0.isEnded = true } }

    var isEnded: Bool { state.withLock { $0.isEnded || !$0.isStarted } }

    // MARK: The worker

    /// Blocks until there is something to do, or for `pause`.
    func next(pause: Duration) -> Work {
        let limit = ContinuousClock.now + pause
        return state.wait { state in
            if state.isStopping { return .done(.stop) }
            if let job = state.waiting.popFirst() { return .done(.job(job)) }
            let left = limit - .now
            return left > .zero ? .sleep(left) : .done(.idle)
        }
    }

    /// Whether a job waits already.
    var hasWork: Bool { state.withLock { $0.waiting.count > 0 } }

    /// Puts a job back in front, for another attempt.
    func requeue(_ job: TPMJob) {
        let refusal: HSMError? = state.withLock { state in
            if let error = state.closed { return error }
            state.waiting.prepend(job)
            return nil
        }
        if let refusal { job.reject(refusal) }
    }

    /// - Returns: Whether the health is another one than before.
    func open(_ identity: TokenIdentity, _ algorithms: Set<ResidentAlgorithm>) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            let wasReady = state.health.isReady
            state.closed = nil
            state.health = .ready(identity)
            state.connections += 1
            state.residentAlgorithms = algorithms
            return !wasReady
        }
    }

    /// Refuses jobs with `error`, those that wait included.
    func close(_ error: HSMError, health: TokenHealth) { close(error) { $0.health = health } }

    private func close(_ error: HSMError, _ change: (inout State) -> Void) {
        let dropped = state.withLock { state in
            if !state.isStopping { state.closed = error }
            change(&state)
            return state.waiting.removeAll()
        }
        for job in dropped { job.reject(error) }
    }
}
