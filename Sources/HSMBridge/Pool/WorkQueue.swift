import Token
import Workers

/// The bounded queue in front of the session threads, and the connection they are to use.
///
/// - Concurrency: any thread; one short critical section per call.
final class WorkQueue: Sendable {
    /// What a thread is to do next.
    enum Work {
        case job(Job, Connection)
        /// The connection that the thread's session belongs to is over: close the session.
        case dropSession
        case stop
    }

    private enum Gate {
        case open(Connection)
        /// Jobs wait; the connection is being renewed.
        case paused
        /// Jobs are refused.
        case closed(HSMError)
        case stopped
    }

    private struct State {
        var gate: Gate
        var waiting: FairQueue<TokenTenant, Job>
        var running: [Job?]
    }

    private let limit: Int
    private let state: ConditionLock<State>

    init(limit: Int, threads: Int) {
        self.limit = limit
        let notYet = HSMError(.tokenUnavailable, "The token is not connected yet.")
        state = ConditionLock(
            State(
                gate: .closed(notYet), waiting: FairQueue(limit: limit), running: Array(repeating: nil, count: threads))
        )
    }

    // MARK: Requests

    /// Queues a job, or rejects it at once.
    func enqueue(_ job: Job) {
        let tenant = TokenTenant.current
        let refusal: HSMError? = state.withLock { state in
            switch state.gate {
            case .closed(let error): return error
            case .stopped: return Self.stoppedError
            case .open, .paused: break
            }
            guard state.waiting.append(job, of: tenant) else {
                return HSMError(
                    .overloaded, "\(state.waiting.count) requests already wait for the token, of \(limit) at most.")
            }
            return nil
        }
        if let refusal { job.reject(refusal) } else { state.signal() }
    }

    /// Puts a job back in front, for another attempt with the next connection.
    func requeue(_ job: Job) {
        let refusal: HSMError? = state.withLock { state in
            switch state.gate {
            case .closed(let error): return error
            case .stopped: return Self.stoppedError
            case .open, .paused:
                state.waiting.prepend(job)
                return nil
            }
        }
        if let refusal { job.reject(refusal) } else { state.signal() }
    }

    // MARK: Threads

    /// Blocks until there is something to do.
    ///
    /// - Parameters:
    ///   - thread: The index of the calling thread; its last job counts as ended.
    ///   - generation: The connection that its session belongs to; nil if it has none.
    func next(thread: Int, holding generation: UInt64?) -> Work {
        var isFirst = true
        return state.wait { state in
            if isFirst {
                state.running[thread] = nil
                isFirst = false
            }
            switch state.gate {
            case .stopped: return .done(.stop)
            case .closed: return generation == nil ? .sleep(nil) : .done(.dropSession)
            case .paused: return .sleep(nil)
            case .open(let connection):
                if let job = state.waiting.popFirst() {
                    state.running[thread] = job
                    return .done(.job(job, connection))
                }
                return generation == nil || generation == connection.generation ? .sleep(nil) : .done(.dropSession)
            }
        }
    }

    // MARK: Supervisor

    func open(_ connection: Connection) {
        state.withLock { if case .stopped = $0.gate {} else { $0.gate = .open(connection) } }
        state.broadcast()
    }

    /// Holds jobs back while the connection of `generation` is renewed; a report about an older one is stale.
    ///
    /// - Returns: Whether the report was news.
    func pause(generation: UInt64) -> Bool {
        state.withLock { state in
            guard case .open(let connection) = state.gate, connection.generation == generation else { return false }
            state.gate = .paused
            return true
        }
    }

    /// Refuses all jobs from now on; those that wait fail with the same error.
    ///
    /// - Parameter generation: Only if this connection is still the current one; nil to close whatever there is.
    @discardableResult
    func close(_ error: HSMError, generation: UInt64? = nil) -> Bool {
        let dropped: [Job]? = state.withLock { state in
            if case .stopped = state.gate { return nil }
            if let generation {
                guard case .open(let connection) = state.gate, connection.generation == generation else { return nil }
            }
            state.gate = .closed(error)
            return state.waiting.removeAll()
        }
        guard let dropped else { return false }
        for job in dropped { job.reject(error) }
        state.broadcast()
        return true
    }

    /// Ends all threads after their current job.
    func stop() {
        let dropped = state.withLock { state in
            state.gate = .stopped
            return state.waiting.removeAll()
        }
        for job in dropped { job.reject(Self.stoppedError) }
        state.broadcast()
    }

    /// Answers overdue jobs, those included that hang inside the module.
    func expire(at now: ContinuousClock.Instant) {
        let overdue = state.withLock { state in
            state.running.compactMap { $0 }.filter { $0.deadline <= now }
                + state.waiting.removeAll { $0.deadline <= now }
        }
        for job in overdue { job.reject(Job.deadlineError) }
    }

    static let stoppedError = HSMError(.tokenUnavailable, "The token is being shut down.")
}
