import Synchronization
import Token
import Workers

/// One request's work on a token, done on a token thread.
final class Job: Sendable {
    let deadline: ContinuousClock.Instant
    /// Tries once; nil means that the answer is delivered. Only the thread that took the job calls it.
    let attempt: @Sendable (borrowing Session, Connection) -> HSMError?
    /// Delivers a failure; without effect once an answer is delivered.
    let reject: @Sendable (HSMError) -> Void
    private let failures = Atomic<Int>(0)

    /// Makes a job that answers `continuation` exactly once.
    init<R: Sendable>(
        deadline: ContinuousClock.Instant, continuation: UnsafeContinuation<Result<R, HSMError>, Never>,
        _ body: @escaping @Sendable (borrowing Session, Connection) throws(HSMError) -> R
    ) {
        let answer = OneShot(continuation)
        self.deadline = deadline
        attempt = { (session, connection) in
            do throws(HSMError) {
                let result = try body(session, connection)
                answer.deliver(.success(result))
                return nil
            } catch {
                return error
            }
        }
        reject = { answer.deliver(.failure($0)) }
    }

    /// How often the job was tried again because an attempt failed.
    var retries: Int { failures.load(ordering: .relaxed) }

    func countRetry() { failures.add(1, ordering: .relaxed) }

    static let deadlineError = HSMError(.deadlineExceeded, "The token did not answer in time.")
}
