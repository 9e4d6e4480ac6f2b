import Audit
import Logging
import ServiceLifecycle

/// Lets the token vouch for the chain while the daemon runs; at the end signs what is new and closes the chain.
struct AuditService: Service {
    let parts: AuditParts
    let logger: Logger

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            if let notary = parts.notary { group.addTask { await notary.run() } }
            group.addTask { await watch() }
            await untilShutdown()
            group.cancelAll()
        }
        await parts.notary?.finish()
        await parts.chain.close()
    }

    /// Tells the log about each change.
    private func watch() async {
        var told: String?
        while !Task.isCancelled {
            // Before the token was asked there is nothing to complain about: it may still be away, which is told elsewhere.
            var problem = parts.chain.problem?.description
            if case .unchecked = parts.chain.standing { problem = told }
            if problem != told {
                if let problem {
                    logger.error("the audit chain takes no record", metadata: ["error": "\(problem)"])
                } else {
                    logger.notice("the audit chain takes records again")
                }
                told = problem
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }
}
