/// What verification of a whole chain found.
public struct AuditReport: Sendable, Encodable {
    /// Records that are there and in order, up to the first bad one.
    public var records: UInt64 = 0
    /// Checkpoints that hold.
    public var checkpoints: UInt64 = 0
    /// The last record that a checkpoint covers. What follows could be cut off unnoticed, unless a head is known.
    public var signedRecords: UInt64 = 0
    /// What the token's counter stood at by the last checkpoint; 0 if none tells.
    public var tokenCounter: UInt64 = 0
    /// The audit key's fingerprint that the chain pins; empty if it pins none.
    public var keyFingerprint = ""
    /// Where the good part of the chain ends; keep it elsewhere, for `--expect-head`.
    public var head: AuditHeadFile?
    /// Nil: nothing is wrong.
    public var finding: AuditFinding?

    /// Adds what the token's own counter tells: a token that counted less than the chain says is an older copy of itself.
    public mutating func expect(tokenCounter counter: UInt64) {
        guard finding == nil, counter < tokenCounter else { return }
        finding = AuditFinding(
            index: signedRecords, code: .olderToken,
            message:
                "The token's counter stands at \(counter), and at \(tokenCounter) when record \(signedRecords) was signed."
        )
    }
}
