package import Audit
import Encodings
import Hummingbird
import KMSConfiguration
import Keystores
import Logging

/// Records every decision of the keystore front: one record each, made before the answer leaves. Refusals and failures that
/// repeat are counted, and one record tells of them.
///
/// - Concurrency: any number of requests at once.
package struct KeystoreAudit: Sendable {
    package let chain: AuditChain
    let uses: AuditedUse
    let logger: Logger
    let counts = RefusalCounts()

    /// What is known of a decision while it is made.
    struct Decision {
        let route: AuditedRoute
        var actor = "-"
        /// Where the request came from; its address is made text only for a refusal that is counted.
        var connection = ClientConnection()
        /// Why it was not allowed; nil if it was.
        var reason: String?
        /// What was made: a keystore, a keystore and key, or a DID.
        var made: String?
        /// What else there is to say of what was done.
        // exact: names of details are this program's own.
        var details: [String: String] = [:]
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
        let reason = decision.reason ?? (outcome == .allowed ? "ok" : "\(response.status.code)")
        if outcome != .allowed {
            let kind = RefusalCounts.Kind(
                actor: decision.actor, operation: route.operation, reason: reason, isFailure: outcome == .failed)
            let isWhole = counts.isWhole(
                kind, address: decision.connection.subscriber, requestID: id.own, at: Int64(Timestamp.now().seconds))
            if !isWhole { return response }
        }
        var details = decision.details
        if let given = id.given { details[CallerRequest.detail] = given }
        var subject = route.subject
        if let made = decision.made {
            if route.isAboutMade { subject = made } else { details["made"] = made }
        }
        let event = AuditEvent(
            front: "keystore", actor: decision.actor, operation: route.operation, subject: subject,
            outcome: outcome, reason: reason, requestID: id.own, details: details)
        do throws(AuditError) {
            switch (outcome, route.kind) {
            case (.allowed, .change): _ = try await chain.recordDone(event)
            case (.allowed, .use) where uses == .durable: _ = try await chain.record(event)
            // A flood of refusals must not make as many flushes.
            default: try await chain.post(event)
            }
            return response
        } catch {
            logger.error("a decision is not recorded", metadata: ["id": "\(id.own)", "error": "\(error)"])
            return outcome == .allowed ? Self.unrecorded(error, isDone: route.kind == .change) : response
        }
    }

    /// Records what was only counted.
    ///
    /// - Parameter isLast: Whether nothing comes after it.
    package func tellRefusals(isLast: Bool) async {
        for (kind, count) in counts.take(at: Int64(Timestamp.now().seconds), isLast: isLast) {
            let event = RefusalCounts.event(front: "keystore", kind, count)
            do throws(AuditError) { _ = try await chain.recordDone(event) } catch {
                logger.error("counted refusals are not recorded yet", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func unrecorded(_ error: AuditError, isDone: Bool) -> Response {
        Responses.error(
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
