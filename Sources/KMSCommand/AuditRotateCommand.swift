import ArgumentParser
import Audit
import Glibc
import KMSConfiguration
import KMSDaemon
import Synchronization
import Token

extension AuditCommand {
    /// `kmsd audit rotate`.
    struct Rotate: Verb {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Close the chain so far into an archive, so that audit.db does not grow for ever.",
            discussion: """
                Stop the daemon first, or let it do this itself: `audit-rotate-size`. The records go into \
                audit-archive/audit-N.db in the home directory, N being the first of them, and audit.db begins with the \
                last one, which the token signs. Nothing is forgotten by it: revocations, epochs of databases and what \
                the token remembers go on. The archive is read again before anything is removed.

                It may be killed at any moment and run again: it goes on where it was. Archives may be moved elsewhere; \
                `kmsd audit verify --archive` checks them there, alone or with audit.db as one chain.

                  kmsd audit rotate
                """)

        @OptionGroup var common: CommonOptions

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let home = try HomeDirectory(taking: settings.home)
            guard FilePresence.exists(AuditParts.path(home: home.path)) else {
                throw CommandFailure(
                    .failed, code: "audit-missing", "There is no audit chain in '\(home.path)' yet; nothing was done.")
            }
            let result: AuditRotation.Result
            if settings.token != nil || settings.tpm != nil {
                let manifest = try common.provisioned(settings)
                result = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
                    try await rotate(AuditParts(home: home.path, token: token, manifest: manifest))
                }
            } else {
                result = try await rotate(AuditParts(home: home.path, token: nil, manifest: nil))
            }
            switch common.output {
            case .json: try Terminal.print(json: result)
            case .text:
                Terminal.print(
                    "The records \(result.firstRecord) to \(result.lastRecord) are in '\(result.archive)'"
                        + (result.isResumed ? ", which an earlier run had begun." : ".")
                        + " audit.db goes on from there.")
            }
            withExtendedLifetime(home) {}
            return .ok
        }

        private func rotate(_ parts: AuditParts) async throws -> AuditRotation.Result {
            if let notary = parts.notary, await !notary.work(), let problem = await notary.problem { throw problem }
            let bar = Mutex<ImportProgress?>(nil)
            let rotation = AuditRotation(chain: parts.chain, notary: parts.notary) { done, total in
                bar.withLock { bar in
                    if bar == nil { bar = ImportProgress(total: Int(clamping: total)) }
                    bar?.reach(Int(clamping: done))
                }
            }
            let outcome: Result<AuditRotation.Result, any Error>
            do {
                outcome = .success(try await rotation.run(by: "uid:\(getuid())"))
            } catch {
                outcome = .failure(error)
            }
            bar.withLock { $0?.finish() }
            if case .success = outcome {
                do throws(AuditError) { try await rotation.compact() } catch {
                    // The free room is used again.
                    Terminal.complain("audit.db keeps its size for now: \(error.message)")
                }
            }
            await parts.notary?.finish()
            await parts.chain.close()
            return try outcome.get()
        }
    }
}
