import Attestation
import Audit
import BearerTokens
import DecryptionAPI
import EnclaveLock
package import GNAP
package import HSMBridge
package import HTTPAPI
package import KMSConfiguration
package import Keystores
package import Logging
package import OutboundHTTP
package import ServiceLifecycle
import SplitKeys
import Synchronization
package import Token

/// The daemon's parts, put together. The one place that names concrete backends.
package struct Application {
    package let settings: Configuration
    /// Nil if another lock than the token's is configured and no token is.
    package let token: (any TokenBackend)?
    /// The token of another home that opens a lock slot of this one; nil unless one is configured.
    package let recoveryToken: (any TokenBackend)?
    package let store: SQLiteKeystoreStore
    package let keystores: KeystoreService
    package let locks: KeystoreLocks
    /// Nil if no bearer tokens are configured.
    let bearer: (any BearerTokenVerifying)?
    /// Nil unless GNAP tokens guard the keystores.
    package let gnap: GNAPVerifier?
    /// Signatures that count once.
    let used: UsedSignatures
    /// Calls the servers that settings name.
    package let outbound: OutboundClient
    /// Calls the servers that callers name. It has places, connections and look-ups of its own, so that nobody holds up the
    /// others by naming slow ones.
    package let vaultCalls: OutboundClient
    package let vaults: EncryptedDataVaults
    /// Nil in verbs that only look.
    package let audit: AuditParts?
    /// Nil if no bearer tokens are configured, or no token, and in verbs that only look.
    package let split: SplitServices?
    /// Nil unless the decryption API is on, and in verbs that only look.
    package let decryption: DecryptionParts?

    /// Opens the database and prepares the token; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - writesAudit: Whether to open the audit chain, which one process can.
    ///   - isOfMigration: Whether a migration is what is built for; all else waits until one that has begun to end is over.
    /// - Throws: ``ConfigurationError``, ``CommandFailure``, `HSMError`, `KMSError`, `AuditError`: whatever an operator
    ///   must correct before the daemon can run. A token that is merely away is none of these.
    package static func build(
        _ settings: Configuration, observer: any CallObserver = SilentObserver(), writesAudit: Bool = false,
        isOfMigration: Bool = false
    ) throws -> Application {
        try HomeDirectory.check(settings.home)
        if !isOfMigration { try MigrationHome(home: settings.home).refuseUnfinished() }
        try settings.keystores.prepareLockedMemory()
        let token = try makeToken(settings, observer: observer)
        let budget = DescriptorBudget(settings)
        let outbound = try settings.outbound.client(calls: budget.outboundCalls / 2)
        let vaultCalls = try settings.outbound.client(calls: budget.outboundCalls / 2)
        let recoveryToken = try RecoveryToken.make(settings)
        let locks = try SecretLocks(
            settings: settings, token: token, recoveryToken: recoveryToken, outbound: outbound
        ).make()
        let bearer = try makeBearer(settings, outbound)
        let vaults = EncryptedDataVaults(sender: vaultCalls, timeout: settings.outbound.vaultTimeout)
        let store = try SQLiteKeystoreStore(path: settings.databasePath)
        let used = try makeUsedSignatures(settings, store)
        let gnap = try makeGNAP(settings, outbound, used)
        let audit = writesAudit ? try AuditParts.make(settings, token: token, store: store.seal) : nil
        return Application(
            settings: settings, token: token, recoveryToken: recoveryToken, store: store,
            keystores: KeystoreService(
                store: store, locks: locks, resident: token, vaults: vaults,
                configuration: settings.keystores),
            locks: locks, bearer: bearer, gnap: gnap, used: used, outbound: outbound, vaultCalls: vaultCalls,
            vaults: vaults, audit: audit,
            split: try makeSplit(settings, token, audit, bearer, outbound),
            decryption: try makeDecryption(settings, token, audit, locks.all, outbound))
    }

    private static func makeToken(_ settings: Configuration, observer: any CallObserver) throws -> (any TokenBackend)? {
        if settings.secretLock != .token, settings.token == nil, settings.tpm == nil { return nil }
        // An operator's word, with a record: see AuditParts.
        if settings.locks.isWithoutToken { return nil }
        let configuration = try BackendConfiguration(settings, manifest: nil)
        guard let manifest = try ManifestFile(home: settings.home).read() else {
            throw LostManifest.missing(settings)
        }
        // A secret that cannot be read is an operator's mistake, not an outage: it is reported now.
        try configuration.checkPIN()
        try settings.moduleInitialisation?.checkInitialisation()
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
    ///
    /// - Parameters:
    ///   - certificates: Of the listeners that have any.
    ///   - didBecomeReady: Called once, when requests can succeed.
    package func serviceGroup(
        logger: Logger, certificates: ServedCertificates, didBecomeReady: @escaping @Sendable () -> Void,
        didBind: @escaping @Sendable (Int) async -> Void
    ) -> ServiceGroup {
        let announcement = Announcement(didBecomeReady)
        let budget = DescriptorBudget(settings)
        let connections = ConnectionTable(limit: budget.connections)
        var responder = RESTResponder(
            service: keystores, baseURL: settings.baseURL, maximumBody: settings.maximumBody, logger: logger,
            capabilities: settings.capabilities, gnap: gnap, used: used, administration: management, split: split,
            servesLegacyRoutes: settings.servesLegacyRoutes, audit: audit?.chain, uses: settings.auditedUse,
            attestations: attestations, tokenProblem: tokenProblem,
            didFindReady: { announcement.make() })
        let metrics = settings.metrics.map { _ in ServiceMetrics(keystores: keystores.meters, store: store.meters) }
        let front = decryption.map {
            DecryptionFront(
                parts: $0, certificates: certificates.decryption,
                connections: ConnectionTable(limit: budget.decryptionConnections), meters: FrontMeters(), logger: logger
            )
        }
        metrics?.process.withLock {
            $0 = ProcessMeters(
                budget: budget, connections: connections, decryption: front.map { ($0.connections, $0.meters) })
        }
        responder.metrics = metrics?.requests
        responder.legacyVaultServer = settings.outbound.legacyVaultServer
        responder.capabilityTimes = metrics?.capabilities
        responder.followed = decryption?.following.followed
        responder.makers = MakerBound(
            perMinute: settings.makersPerMinute, keystores: settings.keystoresPerCaller)
        responder.crossOrigin = settings.allowsEveryOrigin ? .everybody : nil
        responder.splitCrossOrigin = settings.origins.isEmpty ? nil : .splitKeys(settings.origins)
        responder.hasUpstreamStatuses = settings.hasUpstreamStatuses
        // Without a name the group takes the text of the whole value, with all that it holds.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        func run(_ service: any Service, named name: String) {
            services.append(.init(service: service, serviceName: name))
        }
        run(StoreService(store: store, logger: logger), named: "store")
        run(OutboundService(clients: [outbound, vaultCalls]), named: "outbound")
        if let token { run(TokenService(token: token), named: "token") }
        if let recoveryToken { run(TokenService(token: recoveryToken), named: "recovery token") }
        if let audit {
            let seals =
                [store.seal]
                + [split?.authority?.seal, split?.vault?.seal, decryption?.seal].compactMap { $0 }
            run(
                AuditService(
                    parts: audit, seals: Seals(all: seals, locks: locks.all, chain: audit.chain, logger: logger),
                    logger: logger, rotateSize: settings.auditRotateSize), named: "audit")
        }
        run(
            RefusalService(
                audit: responder.audit, keystores: keystores, decryption: decryption?.service, logger: logger),
            named: "refusals")
        if let split { run(SplitService(parts: split, logger: logger), named: "split keys") }
        if let front { run(front, named: "decryption") }
        run(DestructionService(keystores: keystores, audit: audit?.chain, logger: logger), named: "destruction")
        run(
            ReadinessAnnouncer(
                keystores: keystores, tokenProblem: tokenProblem, auditProblem: { [audit] in audit?.chain.problem },
                announcement: announcement), named: "readiness")
        if let address = settings.metrics, let metrics {
            run(
                MetricsServer(
                    address: address, metrics: metrics,
                    connections: ConnectionTable(limit: budget.metricsConnections), logger: logger), named: "metrics")
        }
        run(
            RESTServer(
                configuration: settings, responder: responder, connections: connections, logger: logger,
                certificates: certificates.https, didBind: didBind), named: "requests")
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        // Which signals end it is ``DaemonSignals``' business, and how long the end may take too.
        return ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: quiet))
    }
}
