import Audit
package import Decryption
import DecryptionStore
import EnclaveLock
import Encodings
import Glibc
import HTTPAPI
package import KMSConfiguration
import Keystores
import Logging
import SplitKeys
import Storage
import Token

/// Work on decryption keys with the daemon's own parts, while the daemon does not run.
package struct DecryptionWork: Sendable {
    package let vault: DecryptionKeyVault
    private let chain: AuditChain

    package static func run<R: Sendable>(
        _ settings: Configuration, _ body: (DecryptionWork) async throws -> R
    ) async throws -> R {
        let home = try HomeDirectory(taking: settings.home)
        defer { withExtendedLifetime(home) {} }
        let application = try Application.build(settings, writesAudit: true)
        guard let audit = application.audit else { preconditionFailure("the chain was asked for") }
        application.token?.start()
        do {
            if let token = application.token { try await TokenWork.wait(for: token, timeout: .seconds(10)) }
            if let notary = audit.notary, await !notary.work(), let problem = await notary.problem { throw problem }
            let store = try application.decryption?.store ?? Application.openDecryptionStore(settings, audit)
            let seals =
                [application.store.seal, store.seal]
                + [application.split?.authority?.seal, application.split?.vault?.seal].compactMap { $0 }
            var quiet = Logger(label: "kmsd")
            quiet.logLevel = .critical
            await Seals(all: seals, locks: application.locks.all, chain: audit.chain, logger: quiet).open()
            if let refusal = store.seal.refusal { throw refusal }
            if let problem = audit.chain.problem { throw problem }
            let result = try await body(
                DecryptionWork(
                    vault: DecryptionKeyVault(store: store, locks: application.locks.all, timeToLive: .zero),
                    chain: audit.chain))
            await audit.notary?.finish()
            await audit.chain.close()
            try store.close()
            try application.store.close()
            if let token = application.token { await TokenWork.end(token) }
            return result
        } catch {
            await audit.chain.close()
            if let token = application.token { await TokenWork.end(token) }
            if let error = error as? DecryptionError {
                throw CommandFailure(
                    error.kind == .unavailable ? .unavailable : .failed, code: error.reason, error.message)
            }
            throw error
        }
    }

    /// Records what was done with a key.
    package func tell(_ operation: String, _ record: DecryptionKeyRecord, isPublished: Bool = false) async throws {
        var details = ["fingerprint": Hexadecimal.encode(record.fingerprint)]
        if isPublished { details["published"] = "true" }
        _ = try await chain.recordDone(
            AuditEvent(
                front: "admin", actor: "uid:\(getuid())", operation: operation, subject: record.id, outcome: .allowed,
                reason: "ok", requestID: "", details: details))
    }
}
