import EnclaveLock

/// Where a chain ends: what must be kept elsewhere to notice an older copy of it.
public struct AuditHead: Sendable, Hashable {
    public var position: AuditPosition
    /// Revocations so far.
    public var epoch: UInt64
    /// The hash over all of them, 32 bytes; zero bytes before the first.
    public var revocations: [UInt8]
    /// The highest epoch of the keystores' database that the records tell. It is not kept by itself: the hash at
    /// ``position`` covers it.
    public var storeEpoch: UInt64 = 0

    public init(position: AuditPosition, epoch: UInt64, revocations: [UInt8]) {
        self.position = position
        self.epoch = epoch
        self.revocations = revocations
    }

    /// As the token keeps it.
    var encoded: [UInt8] {
        var fields = RecordFields(.auditHead)
        fields.append(position.index)
        fields.append(position.hash)
        fields.append(epoch)
        fields.append(revocations)
        return fields.bytes
    }

    /// - Returns: nil unless the bytes are what ``encoded`` gives.
    init?(encoded: [UInt8]) {
        var reader = FieldReader(encoded)
        guard reader.text() == Labels.auditHead.rawValue, let index = reader.number(),
            let hash = reader.bytes(AuditRecord.hashLength), let epoch = reader.number(),
            let revocations = reader.bytes(AuditRecord.hashLength), reader.isAtEnd
        else { return nil }
        self.init(position: AuditPosition(index: index, hash: hash), epoch: epoch, revocations: revocations)
    }

    /// The hash over all revocations after one more.
    static func revocations(_ before: [UInt8], epoch: UInt64, subject: String) throws(AuditError) -> [UInt8] {
        var fields = RecordFields(.auditRevocations)
        fields.append(before)
        fields.append(epoch)
        fields.append(subject)
        return try AuditRecord.hash(fields.bytes)
    }
}
