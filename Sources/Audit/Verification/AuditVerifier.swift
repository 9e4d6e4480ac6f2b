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
    private let isPart: Bool
    /// Whether the last file must end with the record that closed it.
    private let mustBeClosed: Bool
    /// Of the last record, if a file can begin with it; and the first record of the file that is being read.
    private var lastBase: AuditBase?
    private var firstOfFile: UInt64 = 0
    /// Whether the next record is the first of a further file.
    private var isJoining = false
    /// Whether the next thing must be the checkpoint of the record with which the first file begins.
    private var needsCheckpoint = false
    /// The last record, if it hands the chain over to another audit key: it does with its checkpoint.
    private var handover: (record: AuditRecord, next: AuditHandover)?
    /// Whether the key that must have signed was not met yet.
    private var isUnmet = false

    /// - Parameters:
    ///   - fingerprint: Of the audit key that must have signed; nil to believe what record 1 pins.
    ///   - expected: Heads that the chain is known to have had.
    ///   - isPart: Whether it may begin with the last record of an earlier part.
    ///   - mustBeClosed: Whether it is an archive, which ends with the record of its rotation.
    init(fingerprint: String?, expected: [AuditHead], isPart: Bool = false, mustBeClosed: Bool = false) {
        self.fingerprint = fingerprint
        self.expected = expected
        self.isPart = isPart
        self.mustBeClosed = mustBeClosed
    }

    /// A file begins; its first record must be the last one of the file before.
    mutating func beginFile() {
        isJoining = head.position.index > 0
        firstOfFile = head.position.index
        revocations = []
    }

    /// - Parameters:
    ///   - index: Where the file has it.
    ///   - record: Nil if the bytes are no record.
    mutating func take(_ record: AuditRecord?, at index: UInt64, hash: [UInt8]) throws(AuditError) {
        guard report.finding == nil else { return }
        if isJoining {
            isJoining = false
            let last = head.position.index
            if index == last, hash == head.position.hash {
                guard let record, try AuditRecord.hash(record.encoded) == hash else {
                    return find(.altered, index, "Record \(index), with which a file begins, is not what was written.")
                }
                // Each file must be good alone.
                needsCheckpoint = !report.keyFingerprint.isEmpty
                return
            }
            guard index > last else {
                return find(
                    .brokenLink, index,
                    "Record \(index), with which a file begins, is not the last one of the file before, \(last).")
            }
        }
        if needsCheckpoint { return findUnsigned() }
        if head.position.index == 0, index > 1, try begin(record, at: index, hash: hash) { return }
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
        if AuditStart.isAdoption(record) || AuditStart.isAdoption(record, of: AuditStart.adoptDatabase) {
            report.adoptions.append(AuditReport.Adoption(record))
        }
        lastBase = AuditBase(record)
        handover = AuditHandover(record, pinned: report.keyFingerprint).map { (record, $0) }
        take(AuditPosition(index: index, hash: hash))
    }

    private mutating func take(_ position: AuditPosition) {
        let (index, hash) = (position.index, position.hash)
        head.position = position
        report.records = index
        if report.firstRecord == 0 { report.firstRecord = index }
        if firstOfFile == 0 { firstOfFile = index }
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
        // A record that hands the chain over may have been signed twice by the key before.
        let pinned = report.handovers.last.flatMap { $0.index == index ? $0.from : nil } ?? report.keyFingerprint
        guard let checkpoint, checkpoint.verifies(pinned: pinned) else {
            return find(.checkpoint, index, "The checkpoint at record \(index) was not signed by the audit key.")
        }
        guard checkpoint.position == head.position else {
            return find(
                .checkpoint, index,
                "Record \(index) is not the one that was signed; the records up to \(report.signedRecords) are.")
        }
        let counted = checkpoint.counter ?? 0
        defer { handOver() }
        guard counted >= report.tokenCounter else {
            return find(
                .checkpoint, index,
                "The token's counter stood at \(counted) at record \(index), and at \(report.tokenCounter) before: its "
                    + "state was put back.")
        }
        report.tokenCounter = counted
        needsCheckpoint = false
        // The record between two files has one in each.
        if report.signedRecords < index { report.checkpoints += 1 }
        report.signedRecords = index
    }

    /// From the checkpoint of such a record on the next key signs, and its token counts from the beginning.
    private mutating func handOver() {
        guard let (record, next) = handover, report.finding == nil else { return }
        handover = nil
        report.handovers.append(AuditReport.Handover(record, next))
        report.keyFingerprint = next.to
        report.tokenCounter = 0
        if let fingerprint, fingerprint == next.to { isUnmet = false }
    }

    /// Begins with the record that closed an earlier part.
    ///
    /// - Returns: False if no file can begin with the record.
    private mutating func begin(_ record: AuditRecord?, at index: UInt64, hash: [UInt8]) throws(AuditError) -> Bool {
        guard let record, record.index == index, try AuditRecord.hash(record.encoded) == hash,
            let base = AuditBase(record), let closed = base.closed
        else { return false }
        guard isPart else {
            find(
                .missing, 1,
                "The file begins with record \(index). What is before it is in the archive '\(closed.name)', and in those "
                    + "that this one goes on from: name them with --archive, or say --part to check this part alone.")
            return true
        }
        report.keyFingerprint = base.pinned
        if let fingerprint, fingerprint != base.pinned { isUnmet = true }
        (head.epoch, head.revocations) = (base.epoch, base.revocations)
        head.carry(record)
        needsCheckpoint = !base.pinned.isEmpty
        take(AuditPosition(index: index, hash: hash))
        return true
    }

    private mutating func findUnsigned() {
        find(
            .checkpoint, head.position.index,
            "Record \(head.position.index), with which the file begins, was not signed by the audit key.")
    }

    /// Compares a file's list of revocations with what its records tell, and with what was before them.
    mutating func check(_ list: [AuditTables.Revocation]) throws(AuditError) {
        guard report.finding == nil else { return }
        var hash = AuditRecord.origin
        for revocation in list {
            hash = try AuditHead.revocations(hash, epoch: revocation.epoch, subject: revocation.subject)
        }
        guard UInt64(list.count) == head.epoch, hash == head.revocations,
            Array(list.suffix(revocations.count)) == revocations
        else {
            return find(.revocations, report.records, "The list of revocations is not what the records tell.")
        }
    }

    /// Notes which records a file had.
    mutating func endFile(_ name: String, from first: UInt64) {
        guard report.finding == nil else { return }
        report.archives.append(AuditReport.Archive(file: name, firstRecord: first, lastRecord: head.position.index))
    }

    mutating func finish() -> AuditReport {
        if report.finding == nil, needsCheckpoint { findUnsigned() }
        if report.finding == nil, head.position.index == 0 { find(.missing, 1, "There is no record.") }
        findUnmet()
        if mustBeClosed, report.finding == nil, lastBase?.closed?.first != firstOfFile {
            let last = head.position.index
            find(
                .truncated, last + 1,
                "The archive ends at record \(last), which does not close it: its end was cut off, or it is no archive; then "
                    + "name it with --file.")
        }
        for expected in expected where report.finding == nil {
            let last = head.position.index
            if expected.position.index < report.firstRecord {
                find(
                    .missing, expected.position.index,
                    "Record \(expected.position.index), the head that is known, is in an earlier part: name its archive "
                        + "with --archive.")
            } else if expected.position.index > last {
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
        // Also the key that it is handed over to will do.
        if let fingerprint, fingerprint != key { isUnmet = true }
    }

    /// Whose the chain is comes before whatever else is wrong with it.
    private mutating func findUnmet() {
        guard isUnmet, let fingerprint else { return }
        let pinned = report.handovers.first?.from ?? report.keyFingerprint
        let also = report.finding.map { " Besides: \($0.message)" } ?? ""
        report.finding = AuditFinding(
            index: max(1, report.firstRecord), code: .otherKey,
            message: "The chain pins the audit key '\(pinned)', not '\(fingerprint)'.\(also)")
    }

    private mutating func checkStoreEpoch(_ record: AuditRecord) {
        guard record.tells(head) else {
            return find(
                .storeEpoch, record.index,
                "Record \(record.index) tells a lower epoch of a database than an earlier one: epoch "
                    + "\(record.storeEpoch ?? 0) of \(WatchedStore.keystores), and an earlier one \(head.storeEpoch).")
        }
        head.carry(record)
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
