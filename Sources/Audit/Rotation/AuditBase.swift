import Encodings

/// What the record tells with which a file begins: record 1, or the one that closed the part before. It stands in for
/// everything that was before it.
struct AuditBase: Sendable {
    var index: UInt64
    /// The audit key's fingerprint; empty for a chain that is never signed.
    var pinned: String
    /// Revocations up to and with the record, and the hash over them.
    var epoch: UInt64
    var revocations: [UInt8]
    /// The first record of the part that this one closed, and the name of its archive; nil for record 1.
    var closed: (first: UInt64, name: String)?

    /// - Returns: nil if no file can begin with the record.
    init?(_ record: AuditRecord) {
        index = record.index
        if record.index == 1 {
            guard record.kind == .start else { return nil }
            pinned = record.event.details[AuditStart.key] ?? ""
            (epoch, revocations, closed) = (0, AuditRecord.origin, nil)
            return
        }
        let details = record.event.details
        guard AuditStart.isAdoption(record, of: AuditStart.rotate), let pinned = details[AuditStart.key],
            let count = details[AuditStart.revocationCount].flatMap({ UInt64($0) }), count == record.epoch,
            let hash = details[AuditStart.revocationHash].flatMap({ Hexadecimal.decode($0) }),
            hash.count == AuditRecord.hashLength,
            let first = details[AuditStart.firstRecord].flatMap({ UInt64($0) }), first < record.index,
            record.event.subject.utf8.elementsEqual(AuditPart.name(first: first).utf8)
        else { return nil }
        self.pinned = pinned
        (epoch, revocations, closed) = (count, hash, (first, record.event.subject))
    }
}
