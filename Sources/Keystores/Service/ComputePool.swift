import Dispatch
import Synchronization
import Token
import Workers

/// Runs long computations on threads of their own, a few at a time, so that neither event loops nor the cooperative pool
/// wait for them.
///
/// One core is left to everything else. Tenants are served in turn. A full queue refuses, and a job that waited too long is not begun.
///
/// - Concurrency: any number of calls at once.
final class ComputePool: Sendable {
    typealias Work = @Sendable () throws -> [UInt8]

    private struct Job {
        let work: Work
        let latest: ContinuousClock.Instant
        let continuation: CheckedContinuation<[UInt8], any Error>
    }

    private struct State {
        var running = 0
        var waiting: FairQueue<TokenTenant, Job>
    }

    private let width: Int
    private let patience: Duration
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "kmsd.compute", attributes: .concurrent)

    /// - Parameters:
    ///   - width: Most jobs at once.
    ///   - depth: Most jobs waiting.
    ///   - patience: How long a job may wait before it is refused.
    init(width: Int, depth: Int = 64, patience: Duration = .seconds(10)) {
        self.width = max(1, width)
        state = Mutex(State(waiting: FairQueue(limit: depth)))
        self.patience = patience
    }

    /// Runs `work` on a thread of the pool and gives what it gives.
    ///
    /// - Throws: ``KMSError`` `.overloaded` if too many jobs wait, `.deadlineExceeded` if this one waited too long; else
    ///   what `work` throws.
    func run(_ work: @escaping Work) async throws -> [UInt8] {
        let tenant = TokenTenant.current
        return try await withCheckedThrowingContinuation { continuation in
            let job = Job(work: work, latest: .now + patience, continuation: continuation)
            let start = state.withLock { state -> Start in
                if state.running < width {
                    state.running += 1
                    return .thread
                }
                return state.waiting.append(job, of: tenant) ? .later : .refused
            }
            switch start {
            case .thread: queue.async { [self] in drain(job) }
            case .later: return
            case .refused:
                continuation.resume(
                    throwing: KMSError(.overloaded, "Too many long computations wait; try again."))
            }
        }
    }

    private enum Start { case thread, later, refused }

    private func drain(_ first: Job) {
        var next: Job? = first
        while let job = next {
            if ContinuousClock.now > job.latest {
                job.continuation.resume(
                    throwing: KMSError(.deadlineExceeded, "The computation waited too long; try again."))
            } else {
                job.continuation.resume(with: Result { try job.work() })
            }
            next = state.withLock { state in
                if let job = state.waiting.popFirst() { return job }
                state.running -= 1
                return nil
            }
        }
    }
}
