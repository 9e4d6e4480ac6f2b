import Audit

/// Writes the decisions of one role into the audit chain.
struct SplitAuditor: Sendable {
    let chain: any AuditRecording
    /// `vault` or `auth`.
    let front: String

    /// Records an allowed decision; what was allowed is done after this returns.
    ///
    /// - Throws: `.storageUnavailable` if the record cannot be written: then nothing may be allowed.
    @discardableResult
    func allow(
        _ operation: String, _ subject: String, actor: String, requestID: String, details: [String: String] = [:]
    ) async throws(SplitKeyError) -> AuditPosition {
        do {
            return try await chain.record(
                event(.allowed, "ok", operation, subject, actor: actor, requestID: requestID, details: details))
        } catch {
            throw SplitKeyError(
                .storageUnavailable, "the audit chain cannot be written now, so nothing is allowed", underlying: error)
        }
    }

    /// Records a refusal or failure. It stands even if the record cannot be written.
    func refuse(
        _ error: SplitKeyError, _ operation: String, _ subject: String, actor: String, requestID: String
    ) async {
        let outcome: AuditEvent.Outcome =
            switch error.code {
            case .tokenUnavailable, .storageUnavailable, .peerUnavailable, .faulty, .internalFailure: .failed
            default: .refused
            }
        _ = try? await chain.record(
            event(outcome, error.code.rawValue, operation, subject, actor: actor, requestID: requestID))
    }

    /// Records how often something was refused to callers who proved nothing.
    func refuse(_ kind: RefusalTally.Kind, _ count: RefusalTally.Count) async {
        let details = [
            "count": String(count.count), "first": String(count.first), "last": String(count.last),
            "address": count.address,
        ]
        _ = try? await chain.record(
            event(
                .refused, kind.reason.rawValue, kind.operation, kind.subject, actor: "-", requestID: count.requestID,
                details: details))
    }

    func event(
        _ outcome: AuditEvent.Outcome, _ reason: String, _ operation: String, _ subject: String, actor: String,
        requestID: String, details: [String: String] = [:]
    ) -> AuditEvent {
        AuditEvent(
            front: front, actor: actor, operation: operation, subject: subject, outcome: outcome, reason: reason,
            requestID: requestID, details: details)
    }
}
