import Hummingbird
import Keystores
import NIOCore
import PrometheusMetrics

/// Decides which requests are served: one place for every scheme.
///
/// - Concurrency: any number of requests at once.
struct RequestAuthorizer: Sendable {
    /// Nil: keystores are not guarded by capabilities.
    let capabilities: CapabilityAuthorizer?
    /// Nil: keystores are not guarded by GNAP tokens.
    let gnap: GNAPAuthorizer?
    /// Nil: making keystores is open; own routes are too, unless the keystores are guarded.
    let administration: ManagementGuard?
    /// In bytes.
    let maximumBody: Int
    /// Measures ``capabilities``; nil measures nothing.
    var middleware: Histogram?

    /// Bounds who may make how much; nil for no bound.
    var makers: MakerBound?

    /// A request that may act.
    struct Authorized {
        var request: Request
        /// Who owns a keystore that the request makes; nil if nobody is named.
        // exact: only handed on, into a document of bytes.
        var owner: String?
        /// Who asks, as far as the request proves it.
        var actor = "-"
        /// Whose a keystore counts as that the request makes; nil for nobody's.
        var maker: KeystoreMaker?
    }

    /// Checks that the request may act; its body is collected where a signature may cover it.
    ///
    /// - Throws: ``AuthorizationRefusal``, ``RequestError``, or ``KMSError`` if a keystore cannot be looked up now.
    func authorize(
        _ request: Request, _ authority: Authority, _ caller: Caller, _ connection: ClientConnection
    ) async throws -> Authorized {
        switch authority {
        case .createKeystore:
            var authorized = try await authorizeCreation(request, connection)
            authorized.maker = try makers?.admit(actor: authorized.actor, address: connection.subscriber)
            return authorized
        case .manage:
            if let administration {
                let actor = try await administration.authorize(request, .manage, connection)
                return Authorized(request: request, actor: actor)
            } else if capabilities != nil || gnap != nil {
                throw AuthorizationRefusal.forbidden(
                    "no capability allows this route, and no admin-guard is configured")
            }
            return Authorized(request: request)
        case .keystore(let action, let keystore):
            guard capabilities != nil || gnap != nil else { return Authorized(request: request) }
            let (request, body) = try await collected(request)
            var actors: [String] = []
            if let capabilities {
                let start = middleware.map { _ in ContinuousClock.now }
                defer { middleware?.record(since: start) }
                actors.append(
                    try await capabilities.authorize(
                        request, body: body, action: action, keystore: keystore, caller, connection))
            }
            if let gnap { actors.append(try await gnap.authorize(request, body: body, keystore: keystore, as: caller)) }
            return Authorized(request: request, actor: actors.joined(separator: " "))
        }
    }

    /// Under GNAP whoever has a token may make a keystore, and owns it; otherwise the guard decides.
    private func authorizeCreation(_ request: Request, _ connection: ClientConnection) async throws -> Authorized {
        if let gnap {
            let (request, body) = try await collected(request)
            let caller = try await gnap.caller(request, body: body)
            return Authorized(request: request, owner: caller, actor: caller)
        }
        guard let administration else { return Authorized(request: request) }
        return Authorized(
            request: request, actor: try await administration.authorize(request, .createKeystore, connection))
    }

    private func collected(_ request: Request) async throws -> (Request, ByteBuffer) {
        var request = request
        let body = try await request.readBody(upTo: maximumBody)
        request.body = RequestBody(buffer: body)
        return (request, body)
    }
}
