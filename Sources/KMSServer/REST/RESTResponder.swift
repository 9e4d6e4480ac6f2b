public import Attestation
public import Audit
import EnclaveLock
public import GNAP
import HTTPTypes
public import Hummingbird
public import Keystores
public import Logging
import Metering

/// Turns a request into an answer: finds the route, lets a controller decode, call the domain and encode, and tells
/// failures the way the API does.
///
/// - Concurrency: any number of requests at once.
public struct RESTResponder: HTTPResponder {
    public typealias Context = RESTContext

    let operations: OperationController
    let agreement: AgreementController
    let multiMessage: MultiMessageController
    let keys: KeyController
    let attestation: AttestationController
    let keystores: KeystoreController
    let health: HealthController
    /// Nil: the routes of the first generation are not there.
    var legacy: LegacyController?
    var authorizer: RequestAuthorizer
    /// Nil: nothing is measured.
    var metrics: ServiceMetrics?
    /// Nil: the keystore API serves no pages of other origins.
    var crossOrigin: CrossOriginPolicy?
    /// The same for the split-key API.
    var splitCrossOrigin: CrossOriginPolicy?
    /// Whether failures have the original server's statuses.
    var hasUpstreamStatuses = false
    /// Nil: this process serves no split keys.
    let split: SplitResponder?
    /// Nil: decisions are not recorded.
    let audit: KeystoreAudit?
    let logger: Logger
    /// In bytes.
    let maximumBody: Int

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
        operations = OperationController(service: service, maximumBody: maximumBody)
        agreement = AgreementController(service: service, maximumBody: maximumBody)
        multiMessage = MultiMessageController(service: service, maximumBody: maximumBody)
        keys = KeyController(service: service, baseURL: baseURL, maximumBody: maximumBody)
        attestation = AttestationController(service: service, issuer: attestations)
        let capabilities = capabilities.mode.map {
            CapabilityAuthorizer(service: service, baseURL: baseURL, mode: $0, used: used)
        }
        authorizer = RequestAuthorizer(
            capabilities: capabilities,
            gnap: gnap.map { GNAPAuthorizer(verifier: $0, service: service, baseURL: baseURL, ledger: used.ledger) },
            administration: administration, maximumBody: maximumBody)
        keystores = KeystoreController(
            service: service, authorizer: capabilities, baseURL: baseURL, maximumBody: maximumBody)
        self.audit = audit.map { KeystoreAudit(chain: $0, uses: uses, logger: logger) }
        health = HealthController(
            service: service, tokenProblem: tokenProblem, auditProblem: { audit?.problem }, didFindReady: didFindReady)
        self.split = split.map { SplitResponder(services: $0, logger: logger, maximumBody: maximumBody) }
        legacy =
            servesLegacyRoutes
            ? LegacyController(service: service, issuer: capabilities, baseURL: baseURL, maximumBody: maximumBody)
            : nil
        self.logger = logger
        self.maximumBody = maximumBody
    }

    public func respond(to request: Request, context: RESTContext) async throws -> Response {
        await answer(request, ClientConnection())
    }

    /// Answers; never throws, so that every failure has the API's form.
    func answer(_ request: Request, _ connection: ClientConnection) async -> Response {
        let start = metrics.map { _ in ContinuousClock.now }
        let id = RequestID(request.headers)
        var response: Response
        var pages: CrossOriginPolicy?
        if let path = request.head.path, path.utf8.first == UInt8(ascii: "/") {
            let question = path.utf8.firstIndex(of: UInt8(ascii: "?"))
            let query = question.map { path[path.index(after: $0)...] }
            let segments = path[..<(question ?? path.endIndex)]
            let target = Target(path: segments)
            let split = SplitTarget.isPrefixed(segments) ? split : nil
            pages = split == nil ? crossOrigin : splitCrossOrigin
            if let preflight = pages?.preflight(request) {
                response = preflight
            } else if let split {
                response = await split.answer(request, path: segments, query: query, id: id, connection)
            } else if let target {
                response = await answerCaller(request, target, query, id, connection)
            } else if let legacy, let old = LegacyTarget(path: segments) {
                response = await answerCaller(request, old, legacy, id, connection)
            } else {
                response = Answer.notFound()
            }
            if let start {
                let route = target?.metricPath ?? split.flatMap { _ in SplitTarget(path: segments)?.template }
                metrics?.requests.record(route: route ?? "other", status: response.status.code, since: start)
            }
            logger.debug(
                "request",
                metadata: [
                    "id": "\(id)", "method": "\(request.method.rawValue)", "status": "\(response.status.code)",
                    "route": "\(target.map { "\($0.template)" } ?? "-")",
                ])
        } else {
            // `OPTIONS *`, or an authority to connect to: this is no proxy.
            response = Answer.error(status: 400, message: "the request target is not a path")
        }
        pages?.decorate(&response, for: request)
        response.headers[.xRequestID] = id.description
        return response
    }

    /// Answers with what the request presents for keystores that are locked by shares.
    private func answerCaller(
        _ request: Request, _ target: Target, _ query: Substring?, _ id: RequestID, _ connection: ClientConnection
    ) async -> Response {
        let caller: CallerShare?
        do {
            caller = try CallerShare(request.headers)
        } catch {
            let response = Answer.error(error, operation: "wrap request")
            guard let audit, let route = target.audited(request.method) else { return response }
            return await audit.conclude(
                KeystoreAudit.Decision(route: route, reason: KeystoreAudit.reason(error)), response, id)
        }
        guard let caller else { return await recorded(request, target, query, id, connection) }
        return await CallerShare.$current.withValue(caller) {
            await recorded(request, target, query, id, connection)
        }
    }

    private func recorded(
        _ request: Request, _ target: Target, _ query: Substring?, _ id: RequestID, _ connection: ClientConnection
    ) async -> Response {
        guard let audit, let route = target.audited(request.method) else {
            var decision = KeystoreAudit.Decision(route: .none)
            return await answer(request, target, query, id, connection, &decision)
        }
        if let refusal = audit.refusal(route) { return refusal }
        var decision = KeystoreAudit.Decision(route: route)
        let response = await answer(request, target, query, id, connection, &decision)
        return await audit.conclude(decision, response, id)
    }

    private func answer(
        _ request: Request, _ target: Target, _ query: Substring?, _ id: RequestID, _ connection: ClientConnection,
        _ decision: inout KeystoreAudit.Decision
    ) async -> Response {
        var operation: StaticString = "request"
        do {
            let authorized = try await authorizer.authorize(request, target.authority(request.method), connection)
            let request = authorized.request
            decision.actor = authorized.actor
            switch (target, request.method) {
            case (.action(let action, let keystore, let key), let method):
                guard method == action.method else { return Answer.methodNotAllowed(action.method.rawValue) }
                operation = action.operation
                if action == .attestation {
                    return try await attestation.attest(keystore: keystore, key: key, query: query)
                }
                if let response = try await operations.answer(action, request, keystore: keystore, key: key) {
                    return response
                }
                if let response = try await multiMessage.answer(action, request, keystore: keystore, key: key) {
                    return response
                }
                return try await keys.answer(action, request, keystore: keystore, key: key)
            case (.agreement(let action, let keystore, let key), .post):
                operation = action.operation
                return try await agreement.answer(action, request, keystore: keystore, key: key)
            case (.agreement, _): return Answer.methodNotAllowed("POST")
            case (.key(let keystore, let key), .get):
                operation = "get key"
                return try await keys.describe(keystore: keystore, key: key)
            case (.key(let keystore, let key), .delete):
                operation = "destroy key"
                return try await keys.destroy(keystore: keystore, key: key, query: query)
            case (.key, _): return Answer.methodNotAllowed("GET, DELETE")
            case (.keys(let keystore), .post):
                operation = "create key"
                return try await keys.create(request, keystore: keystore)
            case (.keys(let keystore), .put):
                operation = "import key"
                return try await keys.importKey(request, keystore: keystore)
            case (.keys(let keystore), .get):
                operation = "list keys"
                return try await keys.list(keystore: keystore, query: query)
            case (.keys, _): return Answer.methodNotAllowed("GET, POST, PUT")
            case (.keystores, .post):
                operation = "create key store"
                return try await keystores.create(request, owner: authorized.owner)
            case (.keystores, .get):
                operation = "list key stores"
                return try await keystores.list(query: query)
            case (.keystores, _): return Answer.methodNotAllowed("GET, POST")
            case (.did, .post):
                operation = "create did"
                return try await keystores.createDID()
            case (.did, _): return Answer.methodNotAllowed("POST")
            case (.keystore(let keystore), .get):
                operation = "get key store"
                return try await keystores.describe(keystore)
            case (.healthcheck, .get): return health.healthcheck(isLegacy: legacy != nil)
            case (.livez, .get): return health.livez()
            case (.readyz, .get): return await health.readyz()
            case (.openapi, .get): return health.openapi()
            case (.keystore, _), (.healthcheck, _), (.livez, _), (.readyz, _), (.openapi, _):
                return Answer.methodNotAllowed("GET")
            }
        } catch let refusal as AuthorizationRefusal {
            decision.reason = KeystoreAudit.reason(refusal)
            logger.info("request refused", metadata: ["id": "\(id)", "reason": "\(refusal.reason)"])
            var response = Answer.refusal(refusal)
            if hasUpstreamStatuses, response.status == .badGateway { response.status = .internalServerError }
            return response
        } catch {
            decision.reason = KeystoreAudit.reason(error)
            log(error, operation, id)
            var response = Answer.error(error, operation: operation)
            if hasUpstreamStatuses, target.isUpstream(request.method) {
                response.status = UpstreamStatus.status(response.status, for: error)
            }
            return response
        }
    }
}
