import Synchronization

/// Gives a waiting caller the first of several answers.
///
/// A caller can be answered by the thread that does the work and by the clock that finds it overdue.
///
/// - Concurrency: any thread; only the first delivery has an effect.
package final class OneShot<Value: Sendable, Failure: Error>: Sendable {
    private let continuation: UnsafeContinuation<Result<Value, Failure>, Never>
    private let isDelivered = Atomic<Bool>(false)

    package init(_ continuation: UnsafeContinuation<Result<Value, Failure>, Never>) {
        self.continuation = continuation
    }

    package func deliver(_ result: Result<Value, Failure>) {
        guard !isDelivered.exchange(true, ordering: .acquiringAndReleasing) else { return }
        continuation.resume(returning: result)
    }
}
