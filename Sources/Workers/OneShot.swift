public import Synchronization

/// Gives a waiting caller the first of several answers.
///
/// A caller can be answered by the thread that does the work and by the clock that finds it overdue.
///
/// - Concurrency: any thread; only the first delivery has an effect.
public final class OneShot<Value: Sendable, Failure: Error>: Sendable {
    @usableFromInline let continuation: UnsafeContinuation<Result<Value, Failure>, Never>
    @usableFromInline let isDelivered: Atomic<Bool>

    @inlinable public init(_ continuation: UnsafeContinuation<Result<Value, Failure>, Never>) {
        self.continuation = continuation
        isDelivered = Atomic(false)
    }

    @inlinable public func deliver(_ result: Result<Value, Failure>) {
        guard !isDelivered.exchange(true, ordering: .acquiringAndReleasing) else { return }
        continuation.resume(returning: result)
    }
}
