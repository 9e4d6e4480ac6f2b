import Synchronization

/// The caller of one record; it is answered once, by whoever is first: the writer or the clock.
final class AuditAnswer: Sendable {
    private let continuation: Mutex<UnsafeContinuation<Result<AuditPosition, AuditError>, Never>?>

    init(_ continuation: UnsafeContinuation<Result<AuditPosition, AuditError>, Never>) {
        self.continuation = Mutex(continuation)
    }

    func deliver(_ result: Result<AuditPosition, AuditError>) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: result)
    }
}
