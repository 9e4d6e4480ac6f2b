public import Token

/// A PKCS #11 token in use: connects in the background, heals itself, and does the work of each request in one visit to a
/// thread that owns a session.
///
/// Starts without its token and serves it within ``TokenConfiguration/reconnectCeiling`` of its return, after serial
/// number, keys and sealed sentinels were checked. Another token of the same label, or another key, is never used.
///
/// - Concurrency: every method from any task; no C call ever runs on the caller's thread.
public final class PKCS11Token: Sendable {
    let supervisor: Supervisor
    let nonces = NonceSource()
    let configuration: TokenConfiguration

    public init(
        configuration: TokenConfiguration, observer: any CallObserver = SilentObserver(), faults: FaultPlan? = nil
    ) {
        self.configuration = configuration
        supervisor = Supervisor(configuration: configuration, observer: observer, faults: faults)
    }

    deinit { supervisor.stop() }

    /// Connects in the background and keeps healing until ``shutdown()``. Never fails; see ``health``.
    public func start() { supervisor.start() }

    /// Lets requests in progress end, refuses the others, closes all sessions and finalises the module, unless another
    /// token of the process still uses it.
    public func shutdown() async { await supervisor.shutdown() }

    /// Whether requests are served now, and if not, why.
    public var health: TokenHealth { supervisor.health }

    /// What provisioning recorded: the configuration's manifest, or that of ``provision(instance:)``.
    public var manifest: TokenManifest? { supervisor.manifest }

    /// Waits until requests are served.
    ///
    /// - Throws: `.pinRefused` at once; otherwise, after `timeout`, the reason why the token is not ready.
    public func waitUntilReady(timeout: Duration) async throws(HSMError) {
        try await supervisor.waitUntilReady(timeout: timeout)
    }

    /// Runs work on a session thread. The work may be run again after a failure, so it must be repeatable.
    func perform<R: Sendable>(
        _ body: @escaping @Sendable (borrowing Session, Connection) throws(HSMError) -> R
    ) async throws(HSMError) -> R {
        let deadline = ContinuousClock.now + configuration.callTimeout
        let result = await withUnsafeContinuation { continuation in
            supervisor.queue.enqueue(Job(deadline: deadline, continuation: continuation, body))
        }
        return try result.get()
    }

    /// Runs work on the supervisor's read-write session, serialised with all other such work; never repeated.
    func performSerialised<R: Sendable>(
        timeout: Duration = .seconds(60),
        _ body: @escaping @Sendable (borrowing Session, Connection) throws(HSMError) -> R
    ) async throws(HSMError) -> R {
        let deadline = ContinuousClock.now + timeout
        let result = await withUnsafeContinuation { continuation in
            supervisor.enqueue(Job(deadline: deadline, continuation: continuation, body))
        }
        return try result.get()
    }
}

extension PKCS11Token: TokenBackend {}
