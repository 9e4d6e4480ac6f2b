/// Checks a chain record by record, without the daemon and without the token, and keeps the first thing that is wrong.
///
/// Hand in every record and checkpoint in the order of the file, a checkpoint behind its record.
struct AuditVerifier {
    private(set) var report = AuditReport()
    private var head = AuditHead(
        position: AuditPosition(index: 0, hash: AuditRecord.origin), epoch: 0, revocations: AuditRecord.origin)
    private(set) var revocations: [AuditTables.Revocation] = []
    private let fingerprint: String?
    private let expected: [AuditHead]

    /// - Parameters:
    ///   - fingerprint: Of the audit key that must have signed; nil to believe what record 1 pins.
    ///   - expected: Heads that the chain is known to have had.
    init(fingerprint: String?, expected: [AuditHead]) {
        self.fingerprint = fingerprint
        self.expected = expected
    }

    /// - Parameters:
    ///   - index: Where the file has it.
    ///   - record: Nil if the bytes are no record.
    mutating func take(_ record: AuditRecord?, at index: UInt64, hash: [UInt8]) throws(AuditError) {
        guard report.finding == nil else { return }
        let next = head.position.index + 1
        guard index == next else {
            return index > next
                ? find(.missing, next, "Record \(next) is missing; record \(index) follows instead.")
                : find(.outOfOrder, index, "Record \(index) stands behind record \(next - 1).")
        }
        guard let record, record.index == index, try AuditRecord.hash(record.encoded) == hash else {
            return find(.altered, index, "Record \(index) is not what was written.")
        }
        guard record.previous == head.position.hash else {
            return find(
                .brokenLink, index,
                index == 1
                    ? "Record 1 is not the first of a chain."
                    : "Record \(index) does not go on from record \(index - 1): one of the two is of another chain.")
        }
        if record.kind == .start || index == 1 { checkStart(record) }
        try checkEpoch(record)
        checkStoreEpoch(record)
        guard report.finding == nil else { return }
        // An operator knew that the token had lost its memory, and said so.
        if AuditStart.isAdoption(record) { report.tokenCounter = 0 }
        head.position = AuditPosition(index: index, hash: hash)
        report.records = index
        if expected.contains(where: { $0.position.index == index && $0.position.hash != hash }) {
            find(.replaced, index, "Record \(index) is not the one of the head that is known.")
        }
    }

    /// - Parameter checkpoint: Nil if the bytes are no checkpoint of `index`.
    mutating func take(_ checkpoint: AuditCheckpoint?, at index: UInt64) {
        guard report.finding == nil else { return }
        let last = head.position.index
        guard index <= last else {
            return find(.missing, last + 1, "Record \(last + 1) is missing; record \(index) was signed.")
        }
        guard index == last else {
            return find(.outOfOrder, index, "The checkpoint at \(index) stands behind record \(last).")
        }
        guard let checkpoint, checkpoint.verifies(pinned: report.keyFingerprint) else {
            return find(.checkpoint, index, "The checkpoint at record \(index) was not signed by the audit key.")
        }
        guard checkpoint.position == head.position else {
            return find(
                .checkpoint, index,
                "Record \(index) is not the one that was signed; the records up to \(report.signedRecords) are.")
        }
        let counted = checkpoint.counter ?? 0
        guard counted >= report.tokenCounter else {
            return find(
                .checkpoint, index,
                "The token's counter stood at \(counted) at record \(index), and at \(report.tokenCounter) before: its "
                    + "state was put back.")
        }
        report.tokenCounter = counted
        report.checkpoints += 1
        report.signedRecords = index
    }

    mutating func finish() -> AuditReport {
        if report.finding == nil, head.position.index == 0 { find(.missing, 1, "There is no record.") }
        for expected in expected where report.finding == nil {
            let last = head.position.index
            if expected.position.index > last {
                find(
                    .truncated, last + 1,
                    "The chain ends at record \(last), and it is known to have had \(expected.position.index).")
            } else if expected.epoch > head.epoch {
                find(.revocations, last, "The chain is known to have had \(expected.epoch) revocations.")
            }
        }
        if head.position.index > 0 { report.head = AuditHeadFile(head) }
        return report
    }

    /// Adds what a caller of its own found, unless something is wrong already.
    mutating func find(_ code: AuditFinding.Code, _ index: UInt64, _ message: String) {
        guard report.finding == nil else { return }
        report.finding = AuditFinding(index: index, code: code, message: message)
    }

    private mutating func checkStart(_ record: AuditRecord) {
        let key = record.event.details[AuditStart.key] ?? ""
        guard record.index == 1 else {
            guard report.keyFingerprint.isEmpty || key == report.keyFingerprint else {
                return find(.otherKey, record.index, "The process of record \(record.index) had another audit key.")
            }
            return
        }
        guard record.kind == .start else { return find(.altered, 1, "Record 1 does not begin a chain.") }
        report.keyFingerprint = key
        if let fingerprint, fingerprint != key {
            find(.otherKey, 1, "The chain pins the audit key '\(key)', not '\(fingerprint)'.")
        }
    }

    private mutating func checkStoreEpoch(_ record: AuditRecord) {
        let told = record.storeEpoch ?? 0
        guard told >= head.storeEpoch else {
            return find(
                .storeEpoch, record.index,
                "Record \(record.index) tells epoch \(told) of the database, and an earlier one \(head.storeEpoch).")
        }
        head.storeEpoch = told
    }

    private mutating func checkEpoch(_ record: AuditRecord) throws(AuditError) {
        guard report.finding == nil else { return }
        guard record.kind == .revocation else {
            guard record.epoch == head.epoch else {
                return find(.revocations, record.index, "Record \(record.index) counts the revocations wrongly.")
            }
            return
        }
        let hash = try AuditHead.revocations(
            head.revocations, epoch: head.epoch + 1, subject: record.event.subject)
        guard record.epoch == head.epoch + 1, record.revocations == hash else {
            return find(.revocations, record.index, "Record \(record.index) does not go on from the last revocation.")
        }
        head.epoch = record.epoch
        head.revocations = hash
        revocations.append(
            AuditTables.Revocation(epoch: record.epoch, index: record.index, subject: record.event.subject))
    }
}
