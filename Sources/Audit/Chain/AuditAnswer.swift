import Synchronization

/// One waiting caller; it is answered once, by whoever is first: the writer or the clock.
final class AuditAnswer<Value: Sendable>: Sendable {
    private let continuation: Mutex<UnsafeContinuation<Result<Value, AuditError>, Never>?>

    init(_ continuation: UnsafeContinuation<Result<Value, AuditError>, Never>) {
        self.continuation = Mutex(continuation)
    }

    func deliver(_ result: Result<Value, AuditError>) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: result)
    }
}
