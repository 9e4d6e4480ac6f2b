/// What verification of a whole chain found.
public struct AuditReport: Sendable, Encodable {
    /// Index of the last record that is there and in order, before the first bad one.
    public var records: UInt64 = 0
    /// Where that begins: 1, or for a part of a chain the record that closed the part before; 0 for none.
    public var firstRecord: UInt64 = 0
    /// Earlier parts that were checked with it.
    public var archives: [Archive] = []
    /// Checkpoints that hold.
    public var checkpoints: UInt64 = 0
    /// The last record that a checkpoint covers. What follows could be cut off unnoticed, unless a head is known.
    public var signedRecords: UInt64 = 0
    /// What the token's counter stood at by the last checkpoint; 0 if none tells.
    public var tokenCounter: UInt64 = 0
    /// The audit key's fingerprint that the chain pins at its end; empty if it pins none.
    public var keyFingerprint = ""
    /// Where the chain went over to another audit key, which both have signed.
    public var handovers: [Handover] = []
    /// What operators took for the one to go on with: a chain, or a database.
    public var adoptions: [Adoption] = []
    /// Where the good part of the chain ends; keep it elsewhere, for `--expect-head`.
    public var head: AuditHeadFile?
    /// Nil: nothing is wrong.
    public var finding: AuditFinding?

    /// An earlier part, in a file of its own.
    public struct Archive: Sendable, Encodable {
        public var file: String
        public var firstRecord: UInt64
        public var lastRecord: UInt64
    }

    /// A change of the audit key.
    public struct Handover: Sendable, Encodable {
        public var index: UInt64
        /// Milliseconds since 1970.
        public var time: Int64
        /// Fingerprints of the key before and of the one from then on.
        public var from: String
        public var to: String
        /// Serial number of the token of the key from then on.
        public var token: String
        /// SHA-256 of the transcript that both keys signed, in hex.
        public var transcript: String

        init(_ record: AuditRecord, _ handover: AuditHandover) {
            index = record.index
            time = record.time
            from = handover.from
            to = handover.to
            token = handover.token
            transcript = handover.transcript
        }
    }

    /// One such act, as its record has it.
    public struct Adoption: Sendable, Encodable {
        public var index: UInt64
        /// Milliseconds since 1970.
        public var time: Int64
        public var actor: String
        /// `adopt` or `adopt-database`.
        public var operation: String
        public var subject: String
        public var details: [String: String]  // exact: the names are this program's own, in ASCII.

        init(_ record: AuditRecord) {
            index = record.index
            time = record.time
            actor = record.event.actor
            operation = record.event.operation
            subject = record.event.subject
            details = record.event.details
        }
    }

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
