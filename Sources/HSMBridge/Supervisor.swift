import Token
import Workers

/// Keeps one token connected: one thread that connects, checks, heals and does all work that must be serialised
/// (create, destroy, find, set attribute: a soft token fails 2 to 4 % of concurrent creations), plus a clock thread.
///
/// - Concurrency: public methods from any thread; they never block on the token.
final class Supervisor: Sendable {
    struct State {
        var login: LoginState
        var manifest: TokenManifest?
        var identity: TokenIdentity?
        var residentAlgorithms: Set<ResidentAlgorithm>?
        var writing = RingBuffer<Job>()
        var current: Job?
        var waiters: [(deadline: ContinuousClock.Instant, answer: OneShot<Void, HSMError>)] = []
        var isStarted = false
        var threads = 0
        var isEnded = false
        var enders: [OneShot<Void, HSMError>] = []
        var reported = ""
    }

    enum Step {
        case connect(LoginState.Depth)
        case check
        case write(Job)
        case stop
    }

    let configuration: TokenConfiguration
    let queue: WorkQueue
    let observer: any CallObserver
    let faults: FaultPlan?
    let state: ConditionLock<State>
    let clock = ConditionLock(false)

    static let clockTick: Duration = .milliseconds(50)

    init(configuration: TokenConfiguration, observer: any CallObserver, faults: FaultPlan?) {
        self.configuration = configuration
        self.observer = observer
        self.faults = faults
        queue = WorkQueue(limit: configuration.queueLimit, threads: configuration.cryptoSessions)
        state = ConditionLock(
            State(
                login: LoginState(
                    healthInterval: configuration.healthInterval, ceiling: configuration.reconnectCeiling, now: .now),
                manifest: configuration.manifest))
    }

    // MARK: What others see

    var health: TokenHealth { state.withLock(Self.health) }

    var manifest: TokenManifest? { state.withLock { $0.manifest } }

    var residentAlgorithms: Set<ResidentAlgorithm> { state.withLock { $0.residentAlgorithms ?? [] } }

    static func health(_ state: inout State) -> TokenHealth {
        switch state.login.phase {
        case .starting: return .starting
        case .serving, .renewing:
            guard let identity = state.identity else { return .starting }
            return .ready(identity)
        case .down(let error): return .unavailable(error)
        case .refused(let error), .halted(let error): return .refused(error)
        case .stopped: return .unavailable(WorkQueue.stoppedError)
        }
    }

    /// Informs the observer about a change, once.
    func reportHealth() {
        let changed: TokenHealth? = state.withLock { state in
            // Its own end is no news to a daemon.
            if case .stopped = state.login.phase { return nil }
            let health = Self.health(&state)
            let summary = "\(health.isReady) \(health.error?.code.rawValue ?? "")"
            guard summary != state.reported else { return nil }
            state.reported = summary
            return health
        }
        if let changed { observer.healthDidChange(to: changed) }
    }

    // MARK: Life

    func start() {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        guard isFirst else { return }
        state.withLock { $0.threads = configuration.cryptoSessions }
        for index in 0..<configuration.cryptoSessions {
            let thread = SessionThread(index: index, queue: queue, supervisor: self)
            if !WorkerThread.start({ thread.run() }) { threadEnded() }
        }
        let hasClock = WorkerThread.start { self.runClock() }
        guard hasClock, WorkerThread.start({ SupervisorThread(supervisor: self).run() }) else {
            fail(HSMError(.deviceFailure, "The system has no thread left for the token."))
            return
        }
    }

    /// Asks for the end; ``shutdown()`` also waits for it.
    func stop() {
        state.withLock { $0.login.stop() }
        state.broadcast()
    }

    func shutdown() async {
        stop()
        _ = await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Void, HSMError>, Never>) in
            let answer = OneShot(continuation)
            let isOver = state.withLock { state in
                if state.isEnded || !state.isStarted { return true }
                state.enders.append(answer)
                return false
            }
            if isOver { answer.deliver(.success(())) }
        }
    }

    func threadEnded() {
        state.withLock { $0.threads -= 1 }
        state.broadcast()
    }

    /// Answers when requests are served, when the token refused the PIN, or after `timeout`.
    func waitUntilReady(timeout: Duration) async throws(HSMError) {
        let deadline = ContinuousClock.now + timeout
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Void, HSMError>, Never>) in
            let answer = OneShot(continuation)
            let now: Result<Void, HSMError>? = state.withLock { state in
                switch state.login.phase {
                case .serving: return .success(())
                case .halted(let error): return .failure(error)
                case .stopped: return .failure(WorkQueue.stoppedError)
                case .starting, .renewing, .down, .refused:
                    state.waiters.append((deadline, answer))
                    return nil
                }
            }
            if let now { answer.deliver(now) }
        }
        try result.get()
    }

    // MARK: Reports of the session threads

    /// The handles or the login of `generation` are gone: requests wait while they are made again.
    func renew(generation: UInt64) {
        guard queue.pause(generation: generation) else { return }
        state.withLock { $0.login.expired() }
        state.broadcast()
    }

    /// The token is gone: requests fail until it is back.
    func lose(_ error: HSMError, generation: UInt64) {
        guard queue.close(error, generation: generation) else { return }
        fail(error)
    }

    // MARK: Serialised work

    /// Queues work for the supervisor's own read-write session.
    func enqueue(_ job: Job) {
        let refusal: HSMError? = state.withLock { state in
            switch state.login.phase {
            case .serving, .renewing: break
            case .starting: return HSMError(.tokenUnavailable, "The token is not connected yet.")
            case .down(let error), .refused(let error), .halted(let error): return error
            case .stopped: return WorkQueue.stoppedError
            }
            guard state.writing.count < configuration.queueLimit else {
                return HSMError(.overloaded, "\(configuration.queueLimit) requests already wait for the token.")
            }
            state.writing.append(job)
            return nil
        }
        if let refusal { job.reject(refusal) } else { state.broadcast() }
    }

    /// Takes over what provisioning recorded; the next connection resolves the keys.
    func adopt(_ manifest: TokenManifest) {
        state.withLock { state in
            state.manifest = manifest
            state.residentAlgorithms = nil
        }
    }
}
