import Audit
import Keystores
import Logging
import ServiceLifecycle

/// Destroys keys whose grace is over, and has each recorded.
struct DestructionService: Service {
    let keystores: any KeyManaging
    /// Nil in tests only.
    let audit: AuditChain?
    let logger: Logger
    /// Between two looks; what is due is destroyed at most this much later.
    var interval: Duration = .seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await sweep()
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func sweep() async {
        // What could not be recorded waits.
        guard audit?.problem == nil else { return }
        do {
            let count = try await keystores.sweep { await record($0) }
            if count > 0 { logger.info("destroyed keys whose grace is over", metadata: ["count": "\(count)"]) }
        } catch is CancellationError {
            return
        } catch {
            logger.warning(
                "keys whose grace is over wait for the token or the database", metadata: ["error": "\(error)"])
        }
    }

    /// As a request that destroys at once is recorded: after it is done, and kept until that can be written.
    private func record(_ address: KeyAddress) async {
        let event = AuditEvent(
            front: "keystore", actor: "-", operation: "destroy-key", subject: address.keystore + "/" + address.key,
            outcome: .allowed, reason: "grace-over", requestID: "-")
        do throws(AuditError) { _ = try await audit?.recordDone(event) } catch {
            logger.error("a destruction is not recorded yet", metadata: ["error": "\(error)"])
        }
    }
}
