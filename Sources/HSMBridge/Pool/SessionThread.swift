import Token

/// A session with the generation it belongs to.
final class OwnedSession: Sendable {
    let session: Session
    let generation: UInt64

    init(_ session: consuming Session, generation: UInt64) {
        self.session = session
        self.generation = generation
    }
}

/// One crypto thread: takes jobs, runs them on its own session and replaces the session after every error.
struct SessionThread: Sendable {
    let index: Int
    let queue: WorkQueue
    let supervisor: Supervisor

    /// The body of the thread.
    func run() {
        var held: OwnedSession?
        while true {
            switch queue.next(thread: index, holding: held?.generation) {
            case .job(let job, let connection): perform(job, connection, &held)
            case .dropSession: held = nil
            case .stop:
                held = nil
                supervisor.threadEnded()
                return
            }
        }
    }

    private func perform(_ job: Job, _ connection: Connection, _ held: inout OwnedSession?) {
        while true {
            guard job.deadline > .now else { return job.reject(Job.deadlineError) }
            guard let error = attempt(job, connection, &held) else { return }
            // After any error from the module an operation may still be active on the session.
            if error.cause != nil || error.code == .deviceFailure { held = nil }
            guard connection.isCurrentEpoch else {
                // The module was initialised again for another token: not this job's failure.
                return renew(job, connection)
            }
            switch RecoveryPolicy.decide(error, attempts: job.retries) {
            case .retry: job.countRetry()
            case .renew:
                job.countRetry()
                return renew(job, connection)
            case .lost(let loss): return lose(job, connection, loss)
            case .fail(let failure): return job.reject(failure)
            case .askSentinel(let fallback):
                if let failure = askSentinel(connection, &held) {
                    held = nil
                    guard connection.isCurrentEpoch else { return renew(job, connection) }
                    return lose(job, connection, HSMError.outOfReach(failure))
                }
                switch fallback {
                case .retry: job.countRetry()
                case .fail(let failure): return job.reject(failure)
                }
            }
        }
    }

    private func session(_ connection: Connection, _ held: inout OwnedSession?) throws(HSMError) -> OwnedSession {
        if let held, held.generation == connection.generation { return held }
        held = nil
        let opened = OwnedSession(try connection.openSession(.readOnly), generation: connection.generation)
        held = opened
        return opened
    }

    private func attempt(_ job: Job, _ connection: Connection, _ held: inout OwnedSession?) -> HSMError? {
        do throws(HSMError) {
            return job.attempt(try session(connection, &held).session, connection)
        } catch {
            return error
        }
    }

    private func askSentinel(_ connection: Connection, _ held: inout OwnedSession?) -> HSMError? {
        do throws(HSMError) {
            try connection.checkSentinels(try session(connection, &held).session)
            return nil
        } catch {
            return error
        }
    }

    private func renew(_ job: Job, _ connection: Connection) {
        supervisor.renew(generation: connection.generation)
        queue.requeue(job)
    }

    private func lose(_ job: Job, _ connection: Connection, _ error: HSMError) {
        supervisor.lose(error, generation: connection.generation)
        job.reject(error)
    }
}
