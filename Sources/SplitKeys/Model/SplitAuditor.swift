import Audit

/// Writes the decisions of one role into the audit chain.
struct SplitAuditor: Sendable {
    let chain: any AuditRecording
    /// `vault` or `auth`.
    let front: String
    /// Unix seconds.
    let now: @Sendable () -> Int64
    /// Refusals of callers who proved who they are.
    let counts = RefusalCounts()

    /// Records an allowed decision; what was allowed is done after this returns.
    ///
    /// - Throws: `.storageUnavailable` if the record cannot be written: then nothing may be allowed.
    @discardableResult
    func allow(
        // exact: names of details are our own words.
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

    /// Records a refusal or failure, or counts it if it repeats. It stands even if the record cannot be written.
    func refuse(
        _ error: SplitKeyError, _ operation: String, _ subject: String, actor: String, requestID: String
    ) async {
        let outcome: AuditEvent.Outcome =
            switch error.code {
            case .tokenUnavailable, .storageUnavailable, .peerUnavailable, .faulty, .internalFailure: .failed
            default: .refused
            }
        let kind = RefusalCounts.Kind(
            actor: actor, operation: operation, reason: error.code.rawValue, isFailure: outcome == .failed)
        guard counts.isWhole(kind, address: "-", requestID: requestID, at: now()) else { return }
        _ = try? await chain.record(
            event(outcome, error.code.rawValue, operation, subject, actor: actor, requestID: requestID))
    }

    /// Records what was only counted.
    ///
    /// - Parameter isLast: Whether nothing comes after it.
    func tellCounts(isLast: Bool) async {
        for (kind, count) in counts.take(at: now(), isLast: isLast) {
            _ = try? await chain.record(RefusalCounts.event(front: front, kind, count))
        }
    }

    /// Records how often something was refused to callers who proved nothing.
    func refuse(_ kind: RefusalCounter.Kind, _ count: RefusalCounter.Count) async {
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
        // exact: names of details are our own words.
        requestID: String, details: [String: String] = [:]
    ) -> AuditEvent {
        var details = details
        if let given = CallerRequest.id { details[CallerRequest.detail] = given }
        return AuditEvent(
            front: front, actor: actor, operation: operation, subject: subject, outcome: outcome, reason: reason,
            requestID: requestID, details: details)
    }
}
