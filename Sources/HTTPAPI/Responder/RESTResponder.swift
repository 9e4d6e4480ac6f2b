public import Attestation
public import Audit
import EnclaveLock
public import GNAP
import HTTPTypes
public import Hummingbird
public import KMSConfiguration
public import Keystores
public import Logging
package import PrometheusMetrics

/// Turns a request into an answer: finds its row in the ``RouteTable``, has the request authorised, lets the row's controller
/// decode, call the domain and encode, records the decision, and tells failures the way the row's API does.
///
/// - Concurrency: any number of requests at once.
public struct RESTResponder: HTTPResponder {
    public typealias Context = RESTContext

    var controllers: Controllers
    var authorizer: RequestAuthorizer
    /// Nil: this process serves no split keys.
    let split: SplitServices?
    /// Nil: decisions are not recorded.
    package let audit: KeystoreAudit?
    let logger: Logger
    /// In bytes.
    package let maximumBody: Int
    /// Nil: nothing is measured.
    package var metrics: RequestMetrics?
    /// Which pages of other origins may call the keystore API; nil for none (CORS is off).
    package var crossOrigin: CrossOriginPolicy?
    /// The same for the split-key API.
    package var splitCrossOrigin: CrossOriginPolicy?
    /// Whether failures have the statuses of TrustBloc's server.
    package var hasUpstreamStatuses = false
    /// URL of the server whose vaults the first generation's `vaultID` names; nil if none is configured.
    package var legacyVaultServer: String? {
        get { controllers.legacy?.vaultServer }
        set { controllers.legacy?.vaultServer = newValue }
    }
    /// Measures checking a capability; nil measures nothing.
    package var capabilityTimes: Histogram? {
        get { authorizer.middleware }
        set { authorizer.middleware = newValue }
    }
    /// The chain that the decryption API follows; nil if it follows none.
    package var followed: FollowedChain? {
        get { controllers.chain.followed }
        set {
            controllers.chain.followed = newValue
            controllers.health.chainConflict = { await newValue?.conflict() }
        }
    }
    /// Bounds who may make how much; nil for no bound.
    package var makers: MakerBound? {
        get { authorizer.makers }
        set { authorizer.makers = newValue }
    }

    /// - Parameters:
    ///   - baseURL: Put in front of the URLs in answers; no slash at its end.
    ///   - maximumBody: In bytes; a longer body is answered 413.
    ///   - capabilities: Whether keystores are guarded by capabilities; if so, `baseURL` must be absolute.
    ///   - gnap: Whether keystores are guarded by GNAP tokens.
    ///   - used: Signatures that count once, before this start and from now on.
    ///   - administration: Guards making keystores and own routes; nil leaves the first open.
    ///   - split: The parts of the split-key front; nil for none.
    ///   - audit: Takes every decision; nil in tests only.
    ///   - uses: What becomes of the records of key uses.
    ///   - attestations: Signs what is said of keys; nil answers 501 there.
    ///   - servesLegacyRoutes: Whether the routes of the API's first generation (`/kms/…`) are there too.
    ///   - tokenProblem: Why the token cannot serve now; nil if it can.
    ///   - didFindReady: Called before each answer that requests can succeed.
    public init(
        service: any KeystoreServing, baseURL: String, maximumBody: Int, logger: Logger,
        capabilities: CapabilityMode = .off, gnap: GNAPVerifier? = nil, used: UsedSignatures = UsedSignatures(),
        administration: ManagementGuard? = nil,
        split: SplitServices? = nil, servesLegacyRoutes: Bool = false, audit: AuditChain? = nil,
        uses: AuditedUse = .queued, attestations: AttestationIssuer? = nil,
        tokenProblem: @escaping @Sendable () -> TokenProblem? = { nil },
        didFindReady: @escaping @Sendable () -> Void = {}
    ) {
        let capabilities = capabilities.mode.map {
            CapabilityAuthorizer(
                service: service, baseURL: baseURL, mode: $0, used: used, actions: RouteTable.capabilityActions)
        }
        authorizer = RequestAuthorizer(
            capabilities: capabilities,
            gnap: gnap.map { GNAPAuthorizer(verifier: $0, service: service, baseURL: baseURL, ledger: used.ledger) },
            administration: administration, maximumBody: maximumBody)
        controllers = Controllers(
            operations: OperationController(service: service), agreement: AgreementController(service: service),
            multiMessage: MultiMessageController(service: service),
            keys: KeyController(service: service, baseURL: baseURL),
            attestation: AttestationController(service: service, issuer: attestations),
            keystores: KeystoreController(service: service, authorizer: capabilities, baseURL: baseURL),
            shares: ShareController(service: service),
            health: HealthController(
                service: service, tokenProblem: tokenProblem, auditProblem: { audit?.problem },
                auditWriteProblem: { await audit?.writeProblem() },
                splitProblems: { await split?.writeProblems() ?? [] }, didFindReady: didFindReady),
            legacy: servesLegacyRoutes
                ? LegacyController(service: service, issuer: capabilities, baseURL: baseURL) : nil,
            vault: split?.vault.map { VaultController(service: $0) },
            authority: split?.authority.map { [split] authority in
                AuthorityController(
                    service: authority, receipts: split?.receipts,
                    returnsTransactions: split?.returnsTransactions ?? false)
            })
        self.split = split
        self.audit = audit.map { KeystoreAudit(chain: $0, uses: uses, logger: logger) }
        self.logger = logger
        self.maximumBody = maximumBody
    }

    public func respond(to request: Request, context: RESTContext) async throws -> Response {
        await answer(request, ClientConnection())
    }

    /// Answers; never throws, so that every failure has the API's form.
    package func answer(_ request: Request, _ connection: ClientConnection) async -> Response {
        let start = metrics.map { _ in ContinuousClock.now }
        let id = RequestID(request.headers)
        var response: Response
        var pages: CrossOriginPolicy?
        if let path = request.head.path, path.utf8.first == UInt8(ascii: "/") {
            let question = path.utf8.firstIndex(of: UInt8(ascii: "?"))
            let query = question.map { path[path.index(after: $0)...] }
            let segments = path[..<(question ?? path.endIndex)]
            let match = RouteTable.standard.find(segments).flatMap { serves($0.place.dialect) ? $0 : nil }
            pages = split != nil && SplitPaths.contain(segments) ? splitCrossOrigin : crossOrigin
            if let preflight = pages?.preflight(request) {
                response = preflight
            } else if let match {
                response = await answer(request, match, query, id, connection)
            } else {
                response = Responses.notFound()
            }
            if let start {
                metrics?.record(route: match?.place.metric ?? "other", status: response.status.code, since: start)
            }
            logger.debug(
                "request",
                metadata: [
                    "id": "\(id.own)", "caller-id": "\(id.given ?? "-")", "method": "\(request.method.rawValue)",
                    "status": "\(response.status.code)", "route": "\(match.map { "\($0.place.path)" } ?? "-")",
                ])
        } else {
            // `OPTIONS *`, or an authority to connect to: this is no proxy.
            response = Responses.error(status: 400, message: "the request target is not a path")
        }
        pages?.decorate(&response, for: request)
        response.headers[.xRequestID] = id.description
        response.headers[.ownRequestID] = id.own
        return response
    }

    /// Whether routes of this kind are there at all.
    private func serves(_ dialect: Dialect) -> Bool {
        switch dialect {
        case .present: true
        case .firstGeneration: controllers.legacy != nil
        case .vault, .authority: split != nil
        }
    }
}
