import ServiceLifecycle
import Token

/// Keeps the token connected while the daemon runs; at the end closes its sessions and finalises its module.
struct TokenService: Service {
    let token: any TokenBackend

    func run() async throws {
        token.start()
        await untilShutdown()
        await token.shutdown()
    }
}

/// Waits for graceful shutdown or cancellation, whichever is first.
func untilShutdown() async {
    // Cancellation is an end like the other one: the caller cleans up either way.
    try? await gracefulShutdown()
}
