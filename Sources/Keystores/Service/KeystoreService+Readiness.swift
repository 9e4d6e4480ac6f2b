import EnclaveLock
import SecretMemory
import Synchronization

extension KeystoreService {
    /// How long an answer is good for, so that a flood of questions is no flood of token calls.
    private static let readinessLifetime = Duration.seconds(1)
    /// A bad answer is kept only long enough that a storm of questions cannot burden a token in trouble: readers wait
    /// for the end of the trouble.
    private static let troubleLifetime = Duration.milliseconds(50)

    public var readiness: [ReadinessProblem] {
        get async {
            if let last = lastReadiness.withLock({ $0 }) {
                let lifetime = last.problems.isEmpty ? Self.readinessLifetime : Self.troubleLifetime
                if last.at + lifetime > ContinuousClock.now { return last.problems }
            }
            var problems: [ReadinessProblem] = []
            do {
                try await store.probe()
            } catch {
                let error = KMSError.translate(error)
                problems.append(ReadinessProblem(component: .store, message: error.detail ?? error.message))
            }
            do {
                try await probeLock()
            } catch {
                problems.append(ReadinessProblem(component: .lock, message: KMSError.translate(error).message))
            }
            let answer = problems
            lastReadiness.withLock { $0 = (ContinuousClock.now, answer) }
            return answer
        }
    }

    /// Seals and opens a random value.
    private func probeLock() async throws {
        let identity = RecordIdentity(tenant: "", keystore: "", key: "", type: "readiness-probe", version: 1)
        let secret = SharedSecret(try SecretBytes.random(count: Envelope.lockKeyLength))
        let opened = try await lock.open(try await lock.seal(secret, identity: identity), identity: identity)
        guard secret.withSecret({ secret in opened.withSecret { secret.constantTimeEquals($0) } }) else {
            throw KMSError(.internal, "The secret lock gave back another secret than it was given.")
        }
    }
}
