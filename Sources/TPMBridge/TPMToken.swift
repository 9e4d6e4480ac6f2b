public import Token
import Workers

/// A TPM 2.0 as the daemon's token: connects in the background, heals itself, and does the work of each request in one
/// hop to the thread that owns the TPM.
///
/// Its keys were made in the TPM, are bound to it and cannot be duplicated. What this process holds of them, and when,
/// is said at each operation; see also `docs/TPM.md`.
///
/// - Concurrency: every method from any task; no C call ever runs on the caller's thread.
public final class TPMToken: Sendable {
    let queue: TPMQueue
    let configuration: TPMConfiguration
    private let worker: TPMWorker

    public init(configuration: TPMConfiguration, observer: any TokenObserver = SilentObserver()) {
        self.configuration = configuration
        queue = TPMQueue(limit: configuration.queueLimit, manifest: configuration.manifest)
        worker = TPMWorker(configuration: configuration, queue: queue, observer: observer)
    }

    deinit { queue.stop() }

    /// Connects in the background and keeps healing until ``shutdown()``. Never fails; see ``health``.
    public func start() {
        guard queue.start() else { return }
        let worker = worker
        if !WorkerThread.start({ worker.run() }) {
            queue.close(
                HSMError(.overloaded, "The system has no thread for the TPM."),
                health: .unavailable(HSMError(.overloaded, "The system has no thread for the TPM.")))
            queue.end()
        }
    }

    /// Lets the request in progress end, refuses the others, flushes our session and keys.
    public func shutdown() async {
        queue.stop()
        while !queue.isEnded { try? await Task.sleep(for: .milliseconds(5)) }
    }

    /// Whether requests are served now, and if not, why.
    public var health: TokenHealth { queue.health }

    /// How often a connection, with its session, was made since ``start()``: provisioning needs a second one, and every
    /// further one healed something.
    public var connections: Int { queue.connections }

    /// What provisioning recorded: the configuration's manifest, or that of ``provision(instance:)``.
    public var manifest: TokenManifest? { queue.manifest }

    /// Waits until requests are served.
    ///
    /// - Throws: `.pinRefused`, `.pinSourceRefused` and `.pcrMismatch` at once; otherwise, after `timeout`, the reason why the TPM is
    ///   not ready.
    public func waitUntilReady(timeout: Duration) async throws(HSMError) {
        let limit = ContinuousClock.now + timeout
        while true {
            let health = queue.health
            if health.isReady { return }
            let error = health.error ?? HSMError(.tokenUnavailable, "The TPM is not connected yet.")
            if [.pinRefused, .pinSourceRefused, .pcrMismatch].contains(error.code) || limit <= .now { throw error }
            do { try await Task.sleep(for: .milliseconds(10)) } catch { throw TPMJob.deadlineError }
        }
    }

    /// Runs work on the worker's thread. It may be run again after a failure, so it must be repeatable.
    func perform<R: Sendable>(
        timeout: Duration? = nil, _ body: @escaping @Sendable (TPMConnection) throws(HSMError) -> R
    ) async throws(HSMError) -> R {
        let deadline = ContinuousClock.now + (timeout ?? configuration.callTimeout)
        let result = await withUnsafeContinuation { continuation in
            queue.enqueue(TPMJob(deadline: deadline, continuation: continuation, body))
        }
        return try result.get()
    }
}

extension TPMToken: TokenBackend {}
