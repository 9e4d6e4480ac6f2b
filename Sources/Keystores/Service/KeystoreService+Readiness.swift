import EnclaveLock
import Storage
import Synchronization

extension KeystoreService {
    /// How long an answer is good for, so that a flood of questions is no flood of token calls.
    private static let readinessLifetime = Duration.seconds(1)
    /// A bad answer is kept only long enough that a storm of questions cannot burden a token in trouble: readers wait
    /// for the end of the trouble.
    private static let troubleLifetime = Duration.milliseconds(50)
    /// How long a lock that answered may be silent.
    private static let lockPatience = Duration.seconds(10)

    public var readiness: [ReadinessProblem] {
        get async {
            if let last = lastReadiness.withLock({ $0 }) {
                let lifetime = last.problems.isEmpty ? Self.readinessLifetime : Self.troubleLifetime
                // A request may have met a refusal since then.
                let isKnown = !last.problems.isEmpty || locks.all.allSatisfy { $0.refusal == nil }
                if isKnown, last.at + lifetime > ContinuousClock.now { return last.problems }
            }
            async let store = storeProblem()
            async let lock = lockProblem()
            let problems = await [store, lock].compactMap { $0 }
            lastReadiness.withLock { $0 = (ContinuousClock.now, problems) }
            return problems
        }
    }

    private func storeProblem() async -> ReadinessProblem? {
        let (store, waited) = (store, WriteProbe.late)
        let answer = await probes.store.ask(within: WriteProbe.limit) { () -> String? in
            do {
                try await store.probe()
                return nil
            } catch {
                let error = KMSError.translate(error)
                return error.detail ?? error.message
            }
        }
        return (answer ?? waited).map { ReadinessProblem(component: .store, message: $0) }
    }

    private func lockProblem() async -> ReadinessProblem? {
        let answer = await probes.lock.ask(within: WriteProbe.limit) { [self] () -> String? in
            // The server's own lock always; another one while it stands refused, until that is over.
            for lock in locks.all where lock.kind == locks.server.kind || lock.refusal != nil {
                do { try await lock.probe() } catch { return KMSError.translate(error).message }
            }
            probes.lastOpened.withLock { $0 = .now }
            return nil
        }
        if let answer { return answer.map { ReadinessProblem(component: .lock, message: $0) } }
        // A token with much to do answers late; one that is away says so before this is over.
        if let last = probes.lastOpened.withLock({ $0 }), ContinuousClock.now - last < Self.lockPatience { return nil }
        return ReadinessProblem(component: .lock, message: "The secret lock has not answered within 0.7 s.")
    }
}

/// Questions under way: none of them is asked twice at once, and nobody waits longer than a second.
final class ReadinessProbes: Sendable {
    let store = TimedProbe<String?>()
    let lock = TimedProbe<String?>()
    let lastOpened = Mutex<ContinuousClock.Instant?>(nil)
}
