import Audit
import Logging
import ServiceLifecycle
import Token

/// Lets the token vouch for the chain while the daemon runs; at the end signs what is new and closes the chain.
struct AuditService: Service {
    let parts: AuditParts
    /// Of the databases that the chain watches.
    let seals: Seals
    let logger: Logger
    /// Size of the chain's file, in bytes, at which it is closed into an archive; 0 for never.
    var rotateSize = 0
    /// Between two looks at the size.
    var rotateInterval: Duration = .seconds(10)

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            if let notary = parts.notary { group.addTask { await notary.run() } }
            group.addTask { await seals.open() }
            group.addTask { await watch() }
            group.addTask { await rotate() }
            if let notary = parts.notary { group.addTask { await tellForgetfulness(of: notary) } }
            await untilShutdown()
            group.cancelAll()
        }
        await parts.notary?.finish()
        await parts.chain.close()
    }

    /// Once: nothing else shows it, for everything works.
    private func tellForgetfulness(of notary: AuditNotary) async {
        while !Task.isCancelled {
            if let reason = await notary.forgetfulness {
                logger.warning(
                    "an older copy of the whole home is not noticed: the token cannot remember the record of decisions",
                    metadata: [
                        "reason": "\(reason.message)", "remedy": "keep its head elsewhere: `kmsd audit verify --help`",
                    ])
                return
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Tells the log about each change.
    private func watch() async {
        var told: String?
        while !Task.isCancelled {
            // While it starts there is nothing to complain about: the token may still be away, which is reported elsewhere.
            let isStarting = parts.chain.isStarting
            let problem = isStarting ? told : parts.chain.problem?.description
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

    /// Closes the chain's file into an archive whenever it has grown enough.
    private func rotate() async {
        let rotation = AuditRotation(chain: parts.chain, notary: parts.notary)
        var isSwept = false
        var told: String?
        while !Task.isCancelled {
            do {
                // Nothing to do with it before the token has seen the chain, and while it cannot be written.
                if parts.chain.problem == nil {
                    // A run that was killed may have left records that are in an archive.
                    if !isSwept { try await rotation.removeClosed() }
                    isSwept = true
                    if rotateSize > 0, try await rotation.isDue(size: rotateSize) {
                        let result = try await rotation.run(by: "-")
                        logger.notice(
                            "a part of the audit chain was closed into an archive",
                            metadata: [
                                "archive": "\(result.archive)", "first": "\(result.firstRecord)",
                                "last": "\(result.lastRecord)",
                            ])
                    }
                    told = nil
                }
            } catch {
                let reason = (error as? AuditError)?.message ?? "\(error)"
                if !Task.isCancelled, reason != told {
                    logger.error("the audit chain could not be rotated", metadata: ["error": "\(reason)"])
                    told = reason
                }
            }
            try? await Task.sleep(for: rotateInterval)
        }
    }
}
