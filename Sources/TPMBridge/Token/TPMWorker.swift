import Token

/// The one thread that talks to the TPM: connects, works, checks, and connects again when the TPM comes back.
struct TPMWorker: Sendable {
    let configuration: TPMConfiguration
    let queue: TPMQueue
    let observer: any TokenObserver

    private static let shortestPause = Duration.milliseconds(50)

    /// The body of the thread.
    func run() {
        var pause = Self.shortestPause
        while true {
            do throws(HSMError) {
                let use = try exclusiveUse()
                try serve { pause = Self.shortestPause }
                withExtendedLifetime(use) {}
                break
            } catch {
                tell(error)
                // A refused value would count against us the next time. A state does not change without a restart.
                let wait =
                    switch error.code {
                    case .pinRefused: Duration.seconds(365 * 86_400)
                    case .pcrMismatch: max(pause, configuration.healthInterval)
                    default: pause
                    }
                if case .stop = queue.next(pause: wait) { break }
                pause = min(pause * 2, configuration.reconnectCeiling)
            }
        }
        queue.end()
    }

    private func exclusiveUse() throws(HSMError) -> ExclusiveUse? {
        if configuration.address.path.isManaged { return nil }
        return try ExclusiveUse(of: configuration.address.path)
    }

    /// Connects and works until the queue stops.
    ///
    /// - Throws: Why the TPM cannot be used any longer.
    private func serve(_ didConnect: () -> Void) throws(HSMError) {
        while true {
            let connection = try connect()
            didConnect()
            if queue.open(connection.identity, connection.residentAlgorithms) {
                observer.healthDidChange(to: .ready(connection.identity))
            }
            if try work(connection) { return }
        }
    }

    private func connect() throws(HSMError) -> TPMConnection {
        do throws(HSMError) {
            return try TPMConnection(configuration, manifest: queue.manifest)
        } catch {
            guard TPMRecovery(error) == .reopen, error.code != .pinRefused else { throw error }
            // A TPM that was reset between two calls is there again at once.
            return try TPMConnection(configuration, manifest: queue.manifest)
        }
    }

    /// - Returns: True to end, false to connect again at once.
    private func work(_ connection: TPMConnection) throws(HSMError) -> Bool {
        while true {
            if !queue.hasWork { connection.context.transport.release() }
            switch queue.next(pause: configuration.healthInterval) {
            case .stop: return true
            case .job(let job): if try perform(job, connection) == false { return false }
            case .idle:
                do throws(HSMError) {
                    try connection.check(queue.manifest)
                } catch {
                    guard TPMRecovery(error) == .reopen else { throw connection.context.explained(error) }
                    return false
                }
            }
        }
    }

    /// - Returns: False if the connection is over.
    private func perform(_ job: TPMJob, _ connection: TPMConnection) throws(HSMError) -> Bool {
        while true {
            guard job.deadline > .now else {
                job.reject(TPMJob.deadlineError)
                return true
            }
            connection.context.transport.deadline = job.deadline
            guard let error = job.attempt(connection) else { return !connection.isOver }
            switch TPMRecovery(error) {
            case .flush where job.mayRetry():
                do throws(HSMError) {
                    try connection.flushAll()
                } catch {
                    tell(error)
                    job.reject(HSMError.outOfReach(error))
                    throw error
                }
            case .reopen where job.mayRetry():
                queue.requeue(job)
                return false
            case .reopen, .lost:
                // First the health: whoever gets the answer may look at it.
                tell(error)
                job.reject(job.deadline > .now ? HSMError.outOfReach(error) : TPMJob.deadlineError)
                throw error
            case .lockedOut, .unapproved:
                let explained = connection.context.explained(error)
                tell(explained)
                job.reject(explained)
                throw explained
            case .flush, .wait, .operator, .fatal, nil:
                job.reject(error)
                return true
            }
        }
    }

    private func tell(_ error: HSMError) {
        let isRefused = [
            .tokenMismatch, .pinRefused, .pinSourceRefused, .keyMissing, .keyMismatch, .configurationRefused,
            .pcrMismatch,
        ].contains(error.code)
        let health: TokenHealth =
            isRefused
            ? .refused(error) : .unavailable(error.code == .lockedOut ? error : HSMError.outOfReach(error))
        let before = queue.health.error
        queue.close(health.error ?? error, health: health)
        if before?.code != error.code || before?.message != health.error?.message {
            observer.healthDidChange(to: health)
        }
    }
}

extension TPMRecovery {
    /// What to do about an error of a call; nil if no TPM said it.
    init?(_ error: HSMError) {
        if error.code == .pcrMismatch {
            self = .unapproved
            return
        }
        guard let response = error.tpmResponse else { return nil }
        self.init(response)
    }
}
