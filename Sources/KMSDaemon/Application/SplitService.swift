import HTTPAPI
import Logging
import ServiceLifecycle
import SplitKeys

/// Writes down when split keys were used, and closes the split-key stores at the end.
struct SplitService: Service {
    let parts: SplitServices
    let logger: Logger
    /// Between two writes; a crash forgets the uses since the last one.
    var interval: Duration = .seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await parts.authority?.flush()
                } catch {
                    logger.warning("the use of split keys could not be noted", metadata: ["error": "\(error)"])
                }
                await parts.vault?.flush()
                try? await Task.sleep(for: interval)
            }
        }
        do {
            try await parts.authority?.close()
            try await parts.vault?.close()
        } catch {
            logger.error("a split-key store did not close", metadata: ["error": "\(error)"])
        }
    }
}
