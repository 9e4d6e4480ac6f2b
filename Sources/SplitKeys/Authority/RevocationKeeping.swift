public import Audit

/// Remembers revocations outside the rows they concern, so that a restored older copy of the rows revives no key.
///
/// - Concurrency: any number of calls at once.
public protocol RevocationKeeping: Sendable {
    /// Revokes a subject permanently; durable when this returns. Revoking again changes nothing.
    func revoke(_ subject: String, _ event: AuditEvent) async throws(AuditError) -> AuditPosition

    /// Answers from memory.
    func isRevoked(_ subject: String) -> Bool

    /// Why nothing may be signed now, such as an audit chain older than the one that is known; nil if all is well.
    var refusal: String? { get }
}
