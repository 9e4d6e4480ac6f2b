import ArgumentParser
import Audit
import Glibc
import Keystores

extension AuditCommand {
    /// `kmsd audit adopt-database`.
    struct AdoptDatabase: Verb {
        static let configuration = CommandConfiguration(
            commandName: "adopt-database",
            abstract: "Go on with a database that is older than the audit chain tells.",
            discussion: """
                After kmsd.sqlite was lost or restored from a backup, the daemon allows nothing, because keys that were \
                rotated, disabled or destroyed since may be back. `kmsd audit tail` shows what was done meanwhile. If the \
                newer file is gone for good, stop the daemon and:

                  kmsd audit adopt-database --yes

                then do again what is missing. The act is recorded in the chain, and the file that was given up is \
                refused from then on.
                """)

        @OptionGroup var common: CommonOptions
        @Flag(help: "Changes of keys that this database does not have are given up.") var yes = false

        func validate() throws {
            guard yes else {
                throw ValidationError("say --yes to give up changes of keys that this database does not have")
            }
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let home = try HomeDirectory(taking: settings.home)
            let store = try SQLiteKeystoreStore(path: settings.databasePath)
            let epoch: UInt64?
            if settings.token != nil || settings.tpm != nil {
                let manifest = try common.provisioned(settings)
                epoch = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
                    try await Self.adopt(
                        store, try AuditParts(home: home.path, token: token, manifest: manifest, store: store))
                }
            } else {
                epoch = try await Self.adopt(
                    store, try AuditParts(home: home.path, token: nil, manifest: nil, store: store))
            }
            try store.close()
            Terminal.print(
                epoch.map { "The database goes on with epoch \($0)." }
                    ?? "The database is not older than the audit chain tells; nothing was changed.")
            withExtendedLifetime(home) {}
            return .ok
        }

        /// - Returns: The database's epoch from now on; nil if nothing was to be adopted.
        private static func adopt(_ store: SQLiteKeystoreStore, _ parts: AuditParts) async throws -> UInt64? {
            // The chain is what says that the database is old, so it comes first.
            if let notary = parts.notary, await !notary.work(), let problem = await notary.problem { throw problem }
            switch parts.chain.standing {
            case .trusted: break
            case .unchecked: throw AuditError(.untrusted, "The audit chain could not be compared with the token.")
            case .refused(let reason): throw AuditError(.untrusted, reason)
            }
            var adopted: UInt64?
            if parts.chain.olderStore != nil {
                let told = parts.chain.head.storeEpoch
                // Before the deed: a database whose adoption has no record stays refused.
                _ = try await parts.chain.recordDone(
                    AuditEvent(
                        front: "admin", actor: "uid:\(getuid())", operation: "adopt-database", subject: "",
                        outcome: .allowed, reason: "ok", requestID: "",
                        details: ["database-epoch": "\(store.epoch)", "chain-epoch": "\(told)"]))
                adopted = try await store.raiseEpoch(above: told)
                parts.chain.adoptStore()
            }
            await parts.notary?.finish()
            await parts.chain.close()
            return adopted
        }
    }
}
