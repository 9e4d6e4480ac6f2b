import ArgumentParser
import Audit
import EnclaveLock
import Glibc
import KMSConfiguration
import KMSDaemon
import Keystores
import Storage

extension AuditCommand {
    /// `kmsd audit adopt-database`.
    struct AdoptDatabase: Verb {
        static let configuration = CommandConfiguration(
            commandName: "adopt-database",
            abstract: "Go on with a database that is not the one the audit chain tells of.",
            discussion: """
                After kmsd.sqlite, shares.sqlite, vault.sqlite or decryption.sqlite was lost, restored from a backup or \
                edited, the daemon allows nothing, because keys that were rotated, disabled or destroyed since may be back, \
                or restrictions of split keys undone. `kmsd audit tail` shows what was done meanwhile. Stop the daemon and \
                look; if the right file is gone for good, say --yes:

                  kmsd audit adopt-database
                  kmsd audit adopt-database --yes
                  kmsd audit adopt-database --database shares.sqlite --yes

                then do again what is missing. The act is recorded in the chain, and the file that was given up is \
                refused from then on. One database at a time, and never the chain itself: that is `kmsd audit adopt`.
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "kmsd.sqlite, shares.sqlite, vault.sqlite or decryption.sqlite.")
        var database = SealedDatabase.keystores
        @Flag(help: "Changes that this database does not have are given up.") var yes = false

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let home = try HomeDirectory(taking: settings.home)
            if !yes {
                show(settings)
                throw CommandFailure(
                    .usage, code: "usage", "say --yes to give up changes that this database does not have")
            }
            let epoch: UInt64?
            if settings.token != nil || settings.tpm != nil {
                let manifest = try common.provisioned(settings)
                epoch = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
                    try await adopt(settings) { seal in
                        try AuditParts(home: home.path, token: token, manifest: manifest, store: seal)
                    } locks: {
                        try SecretLocks(settings: settings, token: token, outbound: try settings.outbound.client())
                            .make().all
                    }
                }
            } else {
                epoch = try await adopt(settings) { seal in
                    try AuditParts(home: home.path, token: nil, manifest: nil, store: seal)
                } locks: {
                    try SecretLocks(settings: settings, token: nil, outbound: try settings.outbound.client()).make().all
                }
            }
            Terminal.print(
                epoch.map { "The database goes on with epoch \($0)." }
                    ?? "The database is the one that the audit chain tells of; nothing was changed.")
            withExtendedLifetime(home) {}
            return .ok
        }

        /// What would be given up, as far as the files tell.
        private func show(_ settings: Configuration) {
            let path = database.path(settings)
            let head = AuditParts.told(home: settings.home)
            Terminal.print("database     \(TerminalEscaping.of(path))")
            if !FilePresence.exists(path) {
                Terminal.print("found        missing; an empty one would be made")
            } else if let claim = try? database.claim(ofFile: path) {
                Terminal.print("found        epoch \(claim.epoch)")
            } else {
                Terminal.print("found        a file that cannot be read")
            }
            let hasSeal = head?.sealed[database.rawValue] != nil
            Terminal.print("chain tells  epoch \(head?.told(database.rawValue) ?? 0)\(hasSeal ? ", with a seal" : "")")
        }

        /// - Returns: The database's epoch from now on; nil if nothing was to be adopted.
        private func adopt(
            _ settings: Configuration, parts open: (StateSeal) throws -> AuditParts,
            locks: () throws -> [any SecretLock]
        ) async throws -> UInt64? {
            let seal = try database.seal(settings)
            let parts = try open(seal)
            // The chain is what says that the database is old, so it comes first.
            if let notary = parts.notary, await !notary.work(), let problem = await notary.problem { throw problem }
            switch parts.chain.standing {
            case .trusted: break
            case .unchecked: throw AuditError(.untrusted, "The audit chain could not be compared with the token.")
            case .refused(let reason): throw AuditError(.untrusted, reason)
            }
            let (head, found) = (parts.chain.head, seal.epoch)
            let told = head.told(seal.name)
            var adopted: UInt64?
            let locks = try locks()
            do {
                _ = try await seal.open(locks: locks, told: head.sealed[seal.name], least: told)
            } catch let problem as StateSeal.Problem {
                // A number that no daemon came to is not gone on from.
                let epoch = (found >= told && found - told <= StateSeal.longestJump ? found : told) + 1
                // Before the deed: a database whose adoption has no record stays refused.
                _ = try await parts.chain.recordDone(
                    AuditEvent(
                        front: "admin", actor: "uid:\(getuid())", operation: "adopt-database", subject: seal.name,
                        outcome: .allowed, reason: "ok", requestID: "",
                        details: [
                            "database-epoch": "\(found)", "chain-epoch": "\(told)", "new-epoch": "\(epoch)",
                            "because": problem.isOlder ? "older-database" : "altered-database",
                        ]))
                try await seal.adopt(locks: locks, epoch: epoch)
                parts.chain.adoptStore()
                try await parts.chain.tellStates()
                adopted = epoch
            }
            await parts.notary?.finish()
            await parts.chain.close()
            try seal.close()
            return adopted
        }
    }
}

extension SealedDatabase: ExpressibleByArgument {}
