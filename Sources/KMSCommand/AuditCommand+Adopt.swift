import ArgumentParser
import Audit
import Glibc
import KMSConfiguration
import KMSDaemon
import Token

extension AuditCommand {
    /// `kmsd audit adopt`.
    struct Adopt: Verb {
        static let configuration = CommandConfiguration(
            commandName: "adopt",
            abstract: "Go on with a chain that is not the one the token remembers.",
            discussion: """
                After audit.db was lost or restored from a backup, or the token's memory was, the daemon allows nothing, \
                because revocations may be missing. Stop the daemon and look: both heads are shown, the one that the token \
                keeps and the one that is found, and how much is given up. If that is understood, say --yes, and make \
                each missing revocation again:

                  kmsd audit adopt
                  kmsd audit adopt --yes

                The act is recorded in the chain with both heads, and `kmsd audit verify` tells of it. It is about the \
                chain alone: what the token remembers of the databases is kept, so an older one is still refused; see \
                `kmsd audit adopt-database`. An audit.db that is there and holds no record was emptied by somebody: it is \
                not adopted; move it away and keep it. After a start on it, as on one that was lost, the chain is told as \
                begun anew, and all that the token was told of is given up.
                """)

        @OptionGroup var common: CommonOptions
        @Flag(help: "Revocations that this chain does not have are given up.") var yes = false

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let home = try HomeDirectory(taking: settings.home)
            let manifest = try common.provisioned(settings)
            let path = AuditParts.path(home: home.path)
            let adopted = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) {
                token -> UInt64? in
                let comparison = try await AuditComparison(
                    path: path, exists: FilePresence.exists(path), token: token)
                switch common.output {
                case .json: try Terminal.print(json: comparison)
                case .text: Self.show(comparison)
                }
                guard !comparison.isEmptied else { throw Self.emptied(path) }
                guard yes else {
                    throw CommandFailure(
                        .usage, code: "usage",
                        "say --yes to give up records and revocations that this chain does not have")
                }
                let parts = try AuditParts(home: home.path, token: token, manifest: manifest)
                guard let notary = parts.notary else {
                    throw CommandFailure(
                        .failed, code: "audit-unsigned", "There is no token that could remember this chain.")
                }
                _ = await notary.work()
                var isTrusted = false
                if case .trusted = parts.chain.standing { isTrusted = true }
                if !isTrusted {
                    try await notary.adopt(by: "uid:\(getuid())", details: comparison.details)
                }
                await notary.finish()
                let head = parts.chain.head
                await parts.chain.close()
                return isTrusted ? nil : head.position.index
            }
            if common.output == .text {
                Terminal.print(
                    adopted.map {
                        "The token remembers this chain now, up to record \($0). Databases were not accepted with it."
                    } ?? "The token remembers this chain already; nothing was changed.")
            }
            withExtendedLifetime(home) {}
            return .ok
        }

        /// A file that was emptied is a trace, and nothing is written over it.
        private static func emptied(_ path: String) -> CommandFailure {
            CommandFailure(
                .failed, code: "audit-emptied",
                "'\(TerminalEscaping.of(path))' is there and holds no record, although the token was told of some: it was emptied, "
                    + "and not by kmsd. Restore it from a backup. If there is none, move the file away and keep it, since it "
                    + "may show who did it; then `kmsd audit adopt` takes the chain for lost.")
        }

        private static func show(_ comparison: AuditComparison) {
            func line(_ end: AuditComparison.End?) -> String {
                guard let end else { return "nothing" }
                let time = end.time.map { AuditText.time($0) } ?? "at an unknown time"
                return "record \(end.index), \(time), hash \(end.hash), \(end.revocations) revocations"
            }
            Terminal.print("kept by the token  \(line(comparison.kept))")
            if let unread = comparison.unread { Terminal.print("                   \(TerminalEscaping.of(unread))") }
            Terminal.print("found in audit.db  \(line(comparison.found))")
            if comparison.isBegunAnew {
                Terminal.print("                   begun anew after that: audit.db was lost, or emptied before a start")
            }
            Terminal.print(
                "given up           \(comparison.givenUp) records, \(comparison.revocationsGivenUp) revocations")
        }
    }
}
