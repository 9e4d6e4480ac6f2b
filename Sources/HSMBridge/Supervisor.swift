/// Keeps one token connected: one thread that connects, checks, heals and does all work that must be serialised
/// (create, destroy, find, set attribute: a soft token fails 2 to 4 % of concurrent creations), plus a clock thread.
///
/// - Concurrency: public methods from any thread; they never block on the token.
final class Supervisor: Sendable {
    private struct State {
        var login: LoginState
        var manifest: TokenManifest?
        var identity: TokenIdentity?
        var residentAlgorithms: Set<ResidentAlgorithm>?
        var writing = RingBuffer<Job>()
        var current: Job?
        var waiters: [(deadline: ContinuousClock.Instant, answer: Answer<Void>)] = []
        var isStarted = false
        var threads = 0
        var isEnded = false
        var enders: [Answer<Void>] = []
    }

    enum Step {
        case connect(LoginState.Depth)
        case check
        case write(Job)
        case stop
    }

    let configuration: TokenConfiguration
    let queue: WorkQueue
    private let observer: any CallObserver
    private let faults: FaultPlan?
    private let state: ConditionLock<State>
    private let clock = ConditionLock(false)

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

    private static func health(_ state: inout State) -> TokenHealth {
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
            if !TokenThread.start({ thread.run() }) { threadEnded() }
        }
        let hasClock = TokenThread.start { self.runClock() }
        guard hasClock, TokenThread.start({ SupervisorThread(supervisor: self).run() }) else {
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
            let answer = Answer(continuation)
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
            let answer = Answer(continuation)
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

    /// The handles or the login of `generation` are gone: requests wait while they are made anew.
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

    // MARK: For the supervisor's thread

    func nextStep() -> Step {
        state.wait { state in
            state.current = nil
            switch state.login.step(at: .now) {
            case .stop: return .done(.stop)
            case .connect(let depth): return .done(.connect(depth))
            case .check: return .done(.check)
            case .wait(let pause):
                if state.login.isServing, let job = state.writing.popFirst() {
                    state.current = job
                    return .done(.write(job))
                }
                return .sleep(pause)
            }
        }
    }

    func makeDoor(_ module: Module) -> CallDoor {
        CallDoor(module: module, observer: observer, faults: faults)
    }

    func expectations() -> (manifest: TokenManifest?, probed: Set<ResidentAlgorithm>?) {
        state.withLock { ($0.manifest, $0.residentAlgorithms) }
    }

    func succeed(_ connection: Connection) {
        let waiters = state.withLock { state in
            state.identity = connection.identity
            state.residentAlgorithms = connection.residentAlgorithms
            state.login.connected(at: .now)
            defer { state.waiters = [] }
            return state.waiters
        }
        queue.open(connection)
        observer.healthDidChange(to: health)
        for waiter in waiters { waiter.answer.deliver(.success(())) }
    }

    func fail(_ error: HSMError) {
        let (dropped, waiters, wasReady) = state.withLock { state in
            let wasReady = Self.health(&state).isReady
            state.login.failed(error, at: .now)
            var waiters: [Answer<Void>] = []
            if case .halted = state.login.phase {
                waiters = state.waiters.map(\.answer)
                state.waiters = []
            }
            return (state.writing.removeAll(), waiters, wasReady)
        }
        state.broadcast()
        queue.close(error)
        if wasReady || !waiters.isEmpty { observer.healthDidChange(to: health) }
        for job in dropped { job.reject(error) }
        for waiter in waiters { waiter.deliver(.failure(error)) }
    }

    func checked() { state.withLock { $0.login.checked(at: .now) } }

    /// Waits for the session threads to close their sessions; one that hangs in the module is left behind.
    func drain() {
        queue.stop()
        let limit = ContinuousClock.now + .seconds(2)
        state.wait { state -> Waiting<Void> in
            let now = ContinuousClock.now
            return state.threads == 0 || now >= limit ? .done(()) : .sleep(limit - now)
        }
    }

    func ended() {
        clock.withLock { $0 = true }
        clock.broadcast()
        let (enders, waiters, jobs) = state.withLock { state in
            state.isEnded = true
            defer {
                state.enders = []
                state.waiters = []
            }
            return (state.enders, state.waiters, state.writing.removeAll())
        }
        for job in jobs { job.reject(WorkQueue.stoppedError) }
        for waiter in waiters { waiter.answer.deliver(.failure(WorkQueue.stoppedError)) }
        for ender in enders { ender.deliver(.success(())) }
    }

    // MARK: Clock

    /// Answers whatever is overdue; makes no call, so nothing that hangs in a module can hold it up.
    private func runClock() {
        while true {
            var isFirst = true
            let isOver = clock.wait { isOver -> Waiting<Bool> in
                defer { isFirst = false }
                return isOver || !isFirst ? .done(isOver) : .sleep(Self.clockTick)
            }
            if isOver { return }
            let now = ContinuousClock.now
            queue.expire(at: now)
            let (jobs, waiters, error) = state.withLock { state in
                var jobs = state.writing.removeAll { $0.deadline <= now }
                if let current = state.current, current.deadline <= now { jobs.append(current) }
                let waiters = state.waiters.filter { $0.deadline <= now }
                state.waiters.removeAll { $0.deadline <= now }
                return (jobs, waiters, Self.health(&state).error)
            }
            for job in jobs { job.reject(Job.deadlineError) }
            for waiter in waiters {
                waiter.answer.deliver(
                    .failure(error ?? HSMError(.tokenUnavailable, "The token did not become ready in time.")))
            }
        }
    }
}
