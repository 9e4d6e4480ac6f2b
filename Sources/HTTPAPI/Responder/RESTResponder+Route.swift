import Audit
import BearerTokens
import EnclaveLock
import HTTPTypes
import Hummingbird
import Keystores
import Logging
import SplitKeys

/// The one way of every request: share, record, authorise, call, translate.
extension RESTResponder {
    func answer(
        _ request: Request, _ match: RouteTable.Match, _ query: Substring?, _ id: RequestID,
        _ connection: ClientConnection
    ) async -> Response {
        let place = match.place
        let route = place.route(request.routedMethod)
        var call = RouteCall(
            request: request, query: query, parameters: match.parameters, id: id, connection: connection,
            bodyLimit: (route ?? place.routes[0]).body.bytes(maximumBody))
        var decision = KeystoreAudit.Decision(route: .none)
        let recorder = route?.record == nil ? nil : audit
        if recorder != nil, let record = route?.record {
            let audited = AuditedRoute(
                operation: record.word, kind: record.kind, subject: call.subject, isAboutMade: record.isAboutMade)
            decision = KeystoreAudit.Decision(route: audited, connection: connection)
        }
        do {
            call.caller.share = try Self.share(in: request.headers, place.routes[0])
        } catch {
            let operation = place.dialect == .present ? "wrap request" : place.routes[0].operation
            let response = Self.failure(error, operation, place.dialect)
            decision.reason = KeystoreAudit.reason(error)
            return await recorder?.conclude(decision, response, id) ?? response
        }
        guard let route else { return Responses.methodNotAllowed(place.methods) }
        guard controllers.runs(route.dialect) else { return Responses.notFound() }
        if let refusal = recorder?.refusal(decision.route) { return refusal }
        let (prepared, asked) = (decision, call)
        let response: Response
        if route.dialect.isSplit {
            (response, decision) = await CallerRequest.$id.withValue(id.given) { await attempt(route, asked, prepared) }
        } else {
            (response, decision) = await attempt(route, asked, prepared)
        }
        return await recorder?.conclude(decision, response, id) ?? response
    }

    /// What the caller brings for keystores that are locked by shares; nil where nothing is taken or brought.
    private static func share(in headers: HTTPFields, _ route: Route) throws -> CallerShare? {
        guard route.takesShare else { return nil }
        return route.dialect == .firstGeneration
            ? try CallerShare(headers, user: .legacyUser, share: .legacyShare) : try CallerShare(headers)
    }

    /// Authorises, calls and translates.
    private func attempt(
        _ route: Route, _ call: RouteCall, _ decision: KeystoreAudit.Decision
    ) async -> (Response, KeystoreAudit.Decision) {
        var (call, decision) = (call, decision)
        var operation: StaticString = route.dialect == .present ? "request" : route.operation
        do {
            decision.actor = try await authorize(route, &call)
            operation = route.operation
            let response = try await route.handle(&call, controllers)
            decision.made = call.made
            decision.details = call.details
            return (response, decision)
        } catch let refusal as AuthorizationRefusal {
            decision.reason = KeystoreAudit.reason(refusal)
            logger.info("request refused", metadata: ["id": "\(call.id.own)", "reason": "\(refusal.reason)"])
            var response = Responses.refusal(refusal)
            if hasUpstreamStatuses, route.dialect == .present, response.status == .badGateway {
                response.status = .internalServerError
            }
            return (response, decision)
        } catch {
            decision.made = call.made
            decision.reason = KeystoreAudit.reason(error)
            if route.dialect.isSplit { return (splitFailure(error, route, call.id), decision) }
            log(error, operation, call.id)
            var response = Self.failure(error, operation, route.dialect)
            if hasUpstreamStatuses, route.isUpstream {
                response.status = UpstreamStatus.status(response.status, for: error)
            }
            return (response, decision)
        }
    }

    /// - Returns: Who asks, as far as the request proves it.
    private func authorize(_ route: Route, _ call: inout RouteCall) async throws -> String {
        let authority: Authority
        switch route.needs {
        case .none: return "-"
        case .user:
            call.user = try await user(call)
            return "-"
        case .userIfShown:
            if call.request.headers[.jwtToken] != nil { call.user = try await user(call) }
            return "-"
        case .createKeystore: authority = .createKeystore
        case .manage: authority = .manage
        case .keystore(let action): authority = .keystore(action: action, keystore: call.keystore)
        }
        let authorized = try await authorizer.authorize(call.request, authority, call.caller, call.connection)
        call.request = authorized.request
        call.owner = authorized.owner
        call.caller.maker = authorized.maker
        return authorized.actor
    }

    private static func failure(_ error: any Error, _ operation: StaticString, _ dialect: Dialect) -> Response {
        dialect == .firstGeneration
            ? LegacyResponses.error(error, operation: operation) : Responses.error(error, operation: operation)
    }

    // MARK: Split keys

    /// Who the bearer token says it is.
    private func user(_ call: RouteCall) async throws -> SplitCaller {
        let tokens = call.request.headers[values: .jwtToken]
        guard tokens.count == 1, let token = tokens.first, !token.isEmpty, let split else {
            throw SplitRefusal(
                status: 401,
                message: tokens.count > 1 ? "X-Jwt-Token is given twice" : "X-Jwt-Token is missing: send a JWT")
        }
        let identity: BearerIdentity
        do {
            identity = try await split.tokens.verify(token)
        } catch {
            let status = error.code == .keysUnavailable ? 503 : 401
            throw SplitRefusal(status: status, message: "X-Jwt-Token: \(error.message)")
        }
        return try SplitCaller(
            user: identity.user, isService: identity.isService, token: token, requestID: call.id.own)
    }

    private func splitFailure(_ error: any Error, _ route: Route, _ id: RequestID) -> Response {
        let refusal = SplitRefusal(error, unknownStatus: route.absentStatus)
        let level: Logger.Level = refusal.status >= 500 && refusal.status != 503 ? .error : .debug
        logger.log(
            level: level, "split-key request refused",
            metadata: [
                "id": "\(id.own)", "route": "\(route.path)", "status": "\(refusal.status)",
                "error": "\(refusal.detail ?? refusal.message)",
            ])
        return refusal.response
    }
}
