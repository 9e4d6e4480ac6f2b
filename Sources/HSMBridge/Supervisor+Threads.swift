import Token
import Workers

/// What the supervisor's own threads do with its state.
extension Supervisor {
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
        reportHealth()
        for waiter in waiters { waiter.answer.deliver(.success(())) }
    }

    func fail(_ error: HSMError) {
        let (dropped, waiters) = state.withLock { state in
            state.login.failed(error, at: .now)
            var waiters: [OneShot<Void, HSMError>] = []
            if case .halted = state.login.phase {
                waiters = state.waiters.map(\.answer)
                state.waiters = []
            }
            return (state.writing.removeAll(), waiters)
        }
        state.broadcast()
        queue.close(error)
        reportHealth()
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
    func runClock() {
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
