import Keystores
import Logging
import ServiceLifecycle

/// Destroys keys whose grace is over.
struct DestructionService: Service {
    let keystores: any KeystoreServing
    let logger: Logger
    /// Between two looks; what is due is destroyed at most this much later.
    var interval: Duration = .seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let count = try await keystores.sweep()
                    if count > 0 { logger.info("destroyed keys whose grace is over", metadata: ["count": "\(count)"]) }
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "keys whose grace is over wait for the token or the database",
                        metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: interval)
            }
        }
    }
}
