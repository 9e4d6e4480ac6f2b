import EnclaveLock
import HTTPTypes
import Hummingbird
import Logging

extension RESTResponder {
    /// Answers a request of the first generation with the share it presents, and records the decision.
    func answerCaller(
        _ request: Request, _ target: LegacyTarget, _ controller: LegacyController, _ id: RequestID,
        _ connection: ClientConnection
    ) async -> Response {
        let caller: CallerShare?
        do {
            caller = try CallerShare(request.headers, user: .legacyUser, share: .legacyShare)
        } catch {
            let response = LegacyAnswer.error(error, operation: target.operation)
            guard let audit, request.method == (target.isRead ? .get : .post) else { return response }
            return await audit.conclude(
                KeystoreAudit.Decision(route: target.audited, reason: KeystoreAudit.reason(error)), response, id)
        }
        guard let caller else { return await recorded(request, target, controller, id, connection) }
        return await CallerShare.$current.withValue(caller) {
            await recorded(request, target, controller, id, connection)
        }
    }

    private func recorded(
        _ request: Request, _ target: LegacyTarget, _ controller: LegacyController, _ id: RequestID,
        _ connection: ClientConnection
    ) async -> Response {
        var decision = KeystoreAudit.Decision(route: target.audited)
        guard let audit, request.method == (target.isRead ? .get : .post) else {
            return await answer(request, target, controller, id, connection, &decision)
        }
        if let refusal = audit.refusal(decision.route) { return refusal }
        let response = await answer(request, target, controller, id, connection, &decision)
        return await audit.conclude(decision, response, id)
    }

    /// Refusals of the guard are those of the present API.
    private func answer(
        _ request: Request, _ target: LegacyTarget, _ controller: LegacyController, _ id: RequestID,
        _ connection: ClientConnection, _ decision: inout KeystoreAudit.Decision
    ) async -> Response {
        do {
            guard request.method == (target.isRead ? .get : .post) else {
                return Answer.methodNotAllowed(target.isRead ? "GET" : "POST")
            }
            let authorized = try await authorizer.authorize(request, target.authority, connection)
            decision.actor = authorized.actor
            return try await controller.answer(target, authorized.request, owner: authorized.owner)
        } catch let refusal as AuthorizationRefusal {
            decision.reason = KeystoreAudit.reason(refusal)
            logger.info("request refused", metadata: ["id": "\(id)", "reason": "\(refusal.reason)"])
            return Answer.refusal(refusal)
        } catch {
            decision.reason = KeystoreAudit.reason(error)
            log(error, target.operation, id)
            return LegacyAnswer.error(error, operation: target.operation)
        }
    }
}
