import Attestation
import Audit
import BearerTokens
import EnclaveLock
import GNAP
import HSMBridge
import Keystores
import Logging
import Outbound
import ServiceLifecycle
import SplitKeys
import UnixSignals

/// The daemon's parts, put together. The one place that names concrete backends.
struct Application {
    let settings: Configuration
    /// Nil if another lock than the token's is configured and no token is.
    let token: (any TokenBackend)?
    let store: SQLiteKeystoreStore
    let keystores: KeystoreService
    /// Nil if no bearer tokens are configured.
    let bearer: (any BearerTokenVerifying)?
    /// Nil unless GNAP tokens guard the keystores.
    let gnap: GNAPVerifier?
    /// Signatures that count once.
    let used: UsedSignatures
    /// Calls other servers; the only client that does.
    let outbound: OutboundClient
    let vaults: EncryptedDataVaults
    /// Nil in verbs that only look.
    let audit: AuditParts?
    /// Nil if no bearer tokens are configured, or no token, and in verbs that only look.
    let split: SplitServices?

    /// Opens the database and prepares the token; nothing is connected yet.
    ///
    /// - Parameter writesAudit: Whether to open the audit chain, which one process can.
    /// - Throws: ``ConfigurationError``, ``CommandFailure``, `HSMError`, `KMSError`, `AuditError`: whatever an operator
    ///   must correct before the daemon can run. A token that is merely away is none of these.
    static func build(
        _ settings: Configuration, observer: any CallObserver = SilentObserver(), writesAudit: Bool = false
    ) throws -> Application {
        try HomeDirectory.check(settings.home)
        try settings.keystores.prepareLockedMemory()
        let token = try makeToken(settings, observer: observer)
        let outbound = try settings.outbound.client()
        let locks = try SecretLocks(settings: settings, token: token, outbound: outbound).make()
        let bearer = try makeBearer(settings, outbound)
        let vaults = EncryptedDataVaults(sender: outbound, timeout: settings.outbound.vaultTimeout)
        let store = try SQLiteKeystoreStore(path: settings.databasePath)
        let used = try makeUsedSignatures(settings, store)
        let gnap = try makeGNAP(settings, outbound, used)
        let audit =
            writesAudit
            ? try AuditParts(home: settings.home, token: token, manifest: token?.manifest, store: store) : nil
        return Application(
            settings: settings, token: token, store: store,
            keystores: KeystoreService(
                store: store, locks: locks, resident: token, vaults: vaults,
                configuration: settings.keystores),
            bearer: bearer, gnap: gnap, used: used, outbound: outbound, vaults: vaults, audit: audit,
            split: try makeSplit(settings, token, audit, bearer, outbound))
    }

    private static func makeToken(_ settings: Configuration, observer: any CallObserver) throws -> (any TokenBackend)? {
        if settings.secretLock != .token, settings.token == nil, settings.tpm == nil { return nil }
        let configuration = try BackendConfiguration(settings, manifest: nil)
        guard let manifest = try ManifestFile(home: settings.home).read() else {
            throw ConfigurationError(
                "'\(settings.manifestPath)' is not there: run `kmsd init` once, with the same settings")
        }
        // A PIN that cannot be read is an operator's mistake, not an outage: it is told now.
        _ = try configuration.pinSource.load()
        return try BackendConfiguration(settings, manifest: manifest).makeToken(observer: observer)
    }

    /// Nil without a token.
    private var attestations: AttestationIssuer? {
        guard let token, let manifest = token.manifest else { return nil }
        return AttestationIssuer(token: token, manifest: manifest)
    }

    /// Why the token cannot serve now.
    var tokenProblem: @Sendable () -> TokenProblem? {
        guard let token else { return { nil } }
        return { TokenProblem(token.health) }
    }

    /// Everything that runs, in the order of dependence: graceful shutdown ends the last first.
    func serviceGroup(logger: Logger, didBind: @escaping @Sendable (Int) async -> Void) -> ServiceGroup {
        let announcement = Announcement("kmsd ready")
        var responder = RESTResponder(
            service: keystores, baseURL: settings.baseURL, maximumBody: settings.maximumBody, logger: logger,
            capabilities: settings.capabilities, gnap: gnap, used: used, administration: management, split: split,
            servesLegacyRoutes: settings.servesLegacyRoutes, audit: audit?.chain, uses: settings.auditedUse,
            attestations: attestations, tokenProblem: tokenProblem,
            didFindReady: { announcement.make() })
        let metrics = settings.metrics.map { _ in ServiceMetrics(keystores: keystores.meters, store: store.meters) }
        responder.metrics = metrics
        responder.legacy?.vaultServer = settings.outbound.legacyVaultServer
        responder.authorizer.middleware = metrics?.capabilities
        responder.crossOrigin = settings.allowsEveryOrigin ? .everybody : nil
        responder.splitCrossOrigin = settings.origins.isEmpty ? nil : .splitKeys(settings.origins)
        responder.hasUpstreamStatuses = settings.hasUpstreamStatuses
        var services: [any Service] = [
            StoreService(store: store, logger: logger), OutboundService(client: outbound),
        ]
        if let token { services.append(TokenService(token: token)) }
        if let audit { services.append(AuditService(parts: audit, logger: logger)) }
        if let split { services.append(SplitService(parts: split, logger: logger)) }
        services.append(DestructionService(keystores: keystores, audit: audit?.chain, logger: logger))
        services.append(
            ReadinessAnnouncer(
                keystores: keystores, tokenProblem: tokenProblem, auditProblem: { [audit] in audit?.chain.problem },
                announcement: announcement))
        if let address = settings.metrics, let metrics {
            services.append(MetricsServer(address: address, metrics: metrics, logger: logger))
        }
        services.append(
            RESTServer(configuration: settings, responder: responder, logger: logger, didBind: didBind))
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        return ServiceGroup(configuration: configuration)
    }
}
