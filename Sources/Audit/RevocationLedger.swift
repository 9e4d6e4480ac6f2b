/// What was revoked, permanently: it is in the audit chain, so an older copy of any other database does not undo it.
///
/// - Concurrency: any task.
public final class RevocationLedger: Sendable {
    private let chain: AuditChain
    private let notary: AuditNotary?

    /// - Parameter notary: Lets the token remember each revocation; nil without a token.
    public init(chain: AuditChain, notary: AuditNotary?) {
        self.chain = chain
        self.notary = notary
    }

    /// Revokes a subject; a second time is recorded and changes nothing.
    ///
    /// When it returns, the record is durable and every ``isRevoked(_:)`` that starts is true. The token is told before
    /// that if it answers in time; if not, as soon as it does.
    ///
    /// - Parameters:
    ///   - subject: 1 to 1,024 bytes.
    ///   - event: The decision; its subject becomes `subject`.
    /// - Throws: ``AuditError``; then nothing is revoked, or it is not known to be: do not answer success.
    public func revoke(_ subject: String, event: AuditEvent) async throws(AuditError) -> AuditPosition {
        let position = try await chain.revoke(subject, event)
        await notary?.tellToken(atLeast: position.index)
        return position
    }

    /// Whether a subject is revoked. A signer asks before it begins and again before it lets the signature out.
    ///
    /// - Throws: ``AuditError`` with `.unavailable`; do not sign then.
    public func isRevoked(_ subject: String) throws(AuditError) -> Bool { try chain.writer.revoked.contains(subject) }

    /// Number of revocations so far.
    public var epoch: UInt64 { chain.head.epoch }
}
