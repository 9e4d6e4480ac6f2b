import Audit
import HSMBridge
import Logging
import ServiceLifecycle
import SplitKeys

/// The audit chain of a daemon with a token, and who vouches for it.
struct AuditParts: Sendable {
    let chain: AuditChain
    let notary: AuditNotary
    let ledger: RevocationLedger

    /// - Throws: ``ConfigurationError`` if the chain cannot be written; the message says what to do.
    init(home: String, token: PKCS11Token, manifest: TokenManifest) throws(ConfigurationError) {
        guard let key = manifest[.audit] else {
            throw ConfigurationError("the manifest names no audit key: run `kmsd init` again")
        }
        do {
            chain = try AuditChain(
                AuditConfiguration(
                    path: home + "/audit.sqlite", instance: manifest.instance, token: manifest.token.serial,
                    keyFingerprint: key.fingerprint))
        } catch {
            throw ConfigurationError("the audit chain cannot be used: \(error.message)")
        }
        notary = AuditNotary(
            chain: chain, token: token, serial: manifest.token.serial, fingerprint: key.fingerprint)
        ledger = RevocationLedger(chain: chain, notary: notary)
    }
}

/// Keeps the chain vouched for while the daemon runs, and closes it after everything that writes to it.
struct AuditService: Service {
    let parts: AuditParts
    let logger: Logger

    func run() async throws {
        let notary = parts.notary
        let work = Task { await notary.run() }
        await untilShutdown()
        work.cancel()
        await work.value
        await notary.finish()
        await parts.chain.close()
    }
}

/// The ledger as the split-key domain needs it.
struct LedgerRevocations: RevocationKeeping {
    let parts: AuditParts

    func revoke(_ subject: String, _ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        try await parts.ledger.revoke(subject, event: event)
    }

    /// What cannot be told counts as revoked; ``refusal`` says why.
    func isRevoked(_ subject: String) -> Bool { (try? parts.ledger.isRevoked(subject)) ?? true }

    var refusal: String? { parts.chain.problem?.message }
}
