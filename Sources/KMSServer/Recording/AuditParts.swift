import Audit
import HSMBridge
import Keystores

/// The audit chain of a running daemon, and what works with it.
struct AuditParts: Sendable {
    let chain: AuditChain
    /// Nil without a token, or with a chain that was begun without one.
    let notary: AuditNotary?
    let ledger: RevocationLedger

    /// Opens the chain in the home directory and takes its lock.
    ///
    /// - Parameters:
    ///   - token: Vouches for the chain; nil without a token.
    ///   - manifest: Pins the audit key; nil without a token.
    ///   - store: Whose older copies the chain notices; nil in verbs that leave it alone.
    /// - Throws: `AuditError`.
    init(
        home: String, token: (any AuditNotary.Backend)?, manifest: TokenManifest?, store: SQLiteKeystoreStore? = nil
    ) throws {
        let fingerprint = manifest?[.audit]?.fingerprint ?? ""
        chain = try AuditChain(
            AuditConfiguration(
                path: Self.path(home: home), instance: manifest?.instance ?? "", token: manifest?.token.serial ?? "",
                keyFingerprint: fingerprint,
                store: store.map { store in WatchedStore(path: store.path) { store.epoch } }))
        if let token, let manifest, !chain.pinnedKey.isEmpty {
            notary = AuditNotary(
                chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
        } else {
            notary = nil
        }
        ledger = RevocationLedger(chain: chain, notary: notary)
    }

    static func path(home: String) -> String { home + "/audit.db" }
}
