import BearerTokens
import EnclaveLock
import GNAP
import HSMBridge
import Keystores
import Logging
import Outbound
import ServiceLifecycle
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
    /// Calls other servers; the only client that does.
    let outbound: OutboundClient

    /// Opens the database and prepares the token; nothing is connected yet.
    ///
    /// - Throws: ``ConfigurationError``, ``CommandFailure``, `HSMError`, `KMSError`: whatever an operator must correct
    ///   before the daemon can run. A token that is merely away is none of these.
    static func build(_ settings: Configuration, observer: any CallObserver = SilentObserver()) throws -> Application {
        try HomeDirectory.check(settings.home)
        let token = try makeToken(settings, observer: observer)
        let lock: any SecretLock =
            switch settings.secretLock {
            case .token:
                if let token {
                    TokenLock(token: token)
                } else {
                    throw ConfigurationError("no token is configured; give --token-uri or KMS_TOKEN_URI")
                }
            case .localFile(let path): try makeLocalLock(path)
            }
        let outbound = try settings.outbound.client()
        let bearer = try makeBearer(settings, outbound)
        let gnap = try makeGNAP(settings, outbound)
        let store = try SQLiteKeystoreStore(path: settings.databasePath)
        return Application(
            settings: settings, token: token, store: store,
            keystores: KeystoreService(
                store: store, lock: lock, resident: token, configuration: settings.keystores),
            bearer: bearer, gnap: gnap, outbound: outbound)
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

    private static func makeLocalLock(_ path: String) throws -> LocalFileLock {
        do {
            return try LocalFileLock(path: path)
        } catch {
            throw ConfigurationError("secret-lock-key-path '\(path)': \(error.message)")
        }
    }

    /// Why the token cannot serve now.
    var tokenProblem: @Sendable () -> TokenProblem? {
        guard let token else { return { nil } }
        return { TokenProblem(token.health) }
    }

    /// Everything that runs, in the order of dependence: graceful shutdown ends the last first.
    func serviceGroup(logger: Logger, didBind: @escaping @Sendable (Int) async -> Void) -> ServiceGroup {
        let announcement = Announcement("kmsd ready")
        let responder = RESTResponder(
            service: keystores, baseURL: settings.baseURL, maximumBody: settings.maximumBody, logger: logger,
            capabilities: settings.capabilities, gnap: gnap, administration: management, tokenProblem: tokenProblem,
            didFindReady: { announcement.make() })
        var services: [any Service] = [
            StoreService(store: store, logger: logger), OutboundService(client: outbound),
        ]
        if let token { services.append(TokenService(token: token)) }
        services.append(DestructionService(keystores: keystores, logger: logger))
        services.append(
            ReadinessAnnouncer(keystores: keystores, tokenProblem: tokenProblem, announcement: announcement))
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
