import Audit
import Decryption
import HTTPAPI
import Keystores
import Logging
import ServiceLifecycle

/// Has the refusals recorded that were only counted, and DID keys removed that nothing came to name.
struct RefusalService: Service {
    /// Nil in tests only.
    let audit: KeystoreAudit?
    let keystores: KeystoreService
    /// Nil unless its front is on.
    var decryption: DecryptionService?
    let logger: Logger
    /// Between two looks at the counts.
    var interval: Duration = .seconds(1)
    /// Between two looks at the DID keys.
    var sweepInterval: Duration = .seconds(600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var swept: ContinuousClock.Instant?
            while !Task.isCancelled {
                await audit?.tellRefusals(isLast: false)
                await decryption?.tellRefusals(isLast: false)
                // What could not be recorded waits, as at a start before the token has seen the chain.
                if swept.map({ ContinuousClock.now - $0 >= sweepInterval }) ?? true, audit?.chain.problem == nil {
                    swept = .now
                    await sweep()
                }
                try? await Task.sleep(for: interval)
            }
        }
        await audit?.tellRefusals(isLast: true)
        await decryption?.tellRefusals(isLast: true)
    }

    private func sweep() async {
        do {
            let count = try await keystores.sweepDIDKeys()
            guard count > 0 else { return }
            logger.info("removed DID keys that nothing names", metadata: ["count": "\(count)"])
            let event = AuditEvent(
                front: "keystore", actor: "-", operation: "remove-did-keys", subject: "", outcome: .allowed,
                reason: "grace-over", requestID: "-", details: ["count": "\(count)"])
            _ = try await audit?.chain.recordDone(event)
        } catch {
            logger.warning("DID keys that nothing names wait", metadata: ["error": "\(error)"])
        }
    }
}
