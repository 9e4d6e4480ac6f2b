package import Audit
import KMSConfiguration
package import Storage
package import Token

/// The audit chain of a running daemon, and what works with it.
package struct AuditParts: Sendable {
    package let chain: AuditChain
    /// Nil without a token.
    package let notary: AuditNotary?
    let ledger: RevocationLedger

    /// Opens the chain in the home directory and takes its lock.
    ///
    /// - Parameters:
    ///   - token: Vouches for the chain; nil without a token.
    ///   - manifest: Pins the audit key; nil without a token.
    ///   - store: Whose older copies the chain notices from its first record on; nil in verbs that leave it alone.
    ///   - isWithoutToken: Whether an operator said to go on while the token of the manifest is away.
    /// - Throws: `AuditError`.
    package init(
        home: String, token: (any AuditNotary.Backend)?, manifest: TokenManifest?, store: StateSeal? = nil,
        isWithoutToken: Bool = false
    ) throws {
        let fingerprint = manifest?[.audit]?.fingerprint ?? ""
        var configuration = AuditConfiguration(
            path: Self.path(home: home), instance: manifest?.instance ?? "", token: manifest?.token.serial ?? "",
            keyFingerprint: fingerprint,
            isCompared: token != nil && manifest != nil, store: store.map { WatchedStore($0) })
        configuration.isWithoutToken = isWithoutToken
        chain = try AuditChain(configuration)
        if let token, let manifest {
            notary = AuditNotary(
                chain: chain, token: token, serial: manifest.token.serial, fingerprint: fingerprint)
        } else {
            notary = nil
        }
        ledger = RevocationLedger(chain: chain, notary: notary)
    }

    /// The chain of a home as the settings say.
    static func make(
        _ settings: Configuration, token: (any TokenBackend)?, store: StateSeal? = nil
    ) throws -> AuditParts {
        let isWithoutToken = settings.locks.isWithoutToken
        return try AuditParts(
            home: settings.home, token: token,
            manifest: isWithoutToken ? ManifestFile(home: settings.home).read() : token?.manifest, store: store,
            isWithoutToken: isWithoutToken)
    }

    package static func path(home: String) -> String { home + "/audit.db" }
}
