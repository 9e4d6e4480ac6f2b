import Audit
import Hummingbird
import Keystores
import Logging

/// Records every decision of the keystore front: one record each, made before the answer leaves.
///
/// - Concurrency: any number of requests at once.
struct KeystoreAudit: Sendable {
    let chain: AuditChain
    let uses: AuditedUse
    let logger: Logger

    /// What is known of a decision while it is made.
    struct Decision {
        let route: AuditedRoute
        var actor = "-"
        /// Why it was not allowed; nil if it was.
        var reason: String?
    }

    /// What must be refused before anything is done, because it could not be recorded afterwards.
    func refusal(_ route: AuditedRoute) -> Response? {
        guard route.kind == .change, let problem = chain.problem else { return nil }
        return Self.unrecorded(problem, isDone: false)
    }

    /// Records the decision.
    ///
    /// - Returns: The answer to give: `response`, or a refusal if the record could not be made.
    func conclude(_ decision: Decision, _ response: Response, _ id: RequestID) async -> Response {
        let route = decision.route
        if route.kind == .use, uses == .off {
            // Not recorded, and still not allowed on a chain or a database that may be an older copy.
            return chain.distrust.map { Self.unrecorded($0, isDone: false) } ?? response
        }
        let outcome: AuditEvent.Outcome =
            switch response.status.code {
            case ..<400: .allowed
            case ..<500: .refused
            default: .failed
            }
        let event = AuditEvent(
            front: "keystore", actor: decision.actor, operation: route.operation, subject: route.subject,
            outcome: outcome, reason: decision.reason ?? (outcome == .allowed ? "ok" : "\(response.status.code)"),
            requestID: id.description)
        do throws(AuditError) {
            switch (outcome, route.kind) {
            case (.allowed, .change): _ = try await chain.recordDone(event)
            case (.allowed, .use) where uses == .durable: _ = try await chain.record(event)
            // A flood of refusals must not make as many flushes.
            default: try await chain.post(event)
            }
            return response
        } catch {
            logger.error("a decision is not recorded", metadata: ["id": "\(id)", "error": "\(error)"])
            return outcome == .allowed ? Self.unrecorded(error, isDone: route.kind == .change) : response
        }
    }

    private static func unrecorded(_ error: AuditError, isDone: Bool) -> Response {
        Answer.error(
            status: 503,
            message: isDone
                ? "the change was made, but it has no audit record yet: \(error.message)"
                : "refused, because it cannot be recorded: \(error.message)")
    }

    /// A short stable word for what was thrown.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let refusal as AuthorizationRefusal:
            switch refusal.status {
            case 400: "malformed-invocation"
            case 401: "unauthorized"
            case 403: "forbidden"
            default: "undecidable"
            }
        case let error as KMSError: error.code.rawValue
        case is JSONError: "malformed-body"
        case let error as RequestError: "request-\(error.status)"
        default: "internal"
        }
    }
}
