import Audit
import SplitKeys

/// The ledger as the split-key domain needs it.
struct FailClosedRevocations: RevocationKeeping {
    let parts: AuditParts

    func revoke(_ subject: String, _ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        try await parts.ledger.revoke(subject, event: event)
    }

    /// What cannot be told counts as revoked; ``refusal`` says why.
    func isRevoked(_ subject: String) -> Bool { (try? parts.ledger.isRevoked(subject)) ?? true }

    var refusal: String? { parts.chain.problem?.message }
}
