import Synchronization
import Token
import Workers

/// One request's work on a TPM, done on the worker's thread.
final class TPMJob: Sendable {
    /// Attempts of one request, the first included.
    static let attemptLimit = 3

    let deadline: ContinuousClock.Instant
    /// Tries once; nil means that the answer is delivered.
    let attempt: @Sendable (TPMConnection) -> HSMError?
    /// Delivers a failure.
    let reject: @Sendable (HSMError) -> Void
    private let failures = Atomic<Int>(0)

    /// Makes a job that answers `continuation` exactly once.
    init<R: Sendable>(
        deadline: ContinuousClock.Instant, continuation: UnsafeContinuation<Result<R, HSMError>, Never>,
        _ body: @escaping @Sendable (TPMConnection) throws(HSMError) -> R
    ) {
        let answer = OneShot(continuation)
        self.deadline = deadline
        attempt = { connection in
            do throws(HSMError) {
                let result = try body(connection)
                answer.deliver(.success(result))
                return nil
            } catch {
                return error
            }
        }
        reject = { answer.deliver(.failure($0)) }
    }

    /// Counts a failed attempt; false if there may be no further one.
    func mayRetry() -> Bool { failures.add(1, ordering: .relaxed).newValue < Self.attemptLimit }

    static let deadlineError = HSMError(.deadlineExceeded, "The TPM did not answer in time.")
}
