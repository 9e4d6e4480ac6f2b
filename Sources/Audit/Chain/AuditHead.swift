import Encodings

/// Where a chain ends: what must be kept elsewhere to notice an older copy of it.
public struct AuditHead: Sendable, Hashable {
    public var position: AuditPosition
    /// Revocations so far.
    public var epoch: UInt64
    /// The hash over all of them, 32 bytes; zero bytes before the first.
    public var revocations: [UInt8]
    /// The highest epoch of the keystores' database in the records; the hash at ``position`` covers it.
    public var storeEpoch: UInt64 = 0
    /// The highest epochs of databases that have a seal, by the file's name; the hash at ``position`` covers them.
    public var sealed: [String: UInt64] = [:]  // exact: the names are this program's own, in ASCII.
    /// When the record at ``position`` was made, in milliseconds since 1970; nil if that is not known.
    public var time: Int64?

    public init(position: AuditPosition, epoch: UInt64, revocations: [UInt8]) {
        self.position = position
        self.epoch = epoch
        self.revocations = revocations
    }

    /// The highest epoch of a database in the records.
    public func told(_ name: String) -> UInt64 {
        max(sealed[name] ?? 0, name == WatchedStore.keystores ? storeEpoch : 0)
    }

    /// Takes over what `other` says of the databases, too.
    mutating func carry(_ other: AuditHead) {
        storeEpoch = max(storeEpoch, other.storeEpoch)
        sealed.merge(other.sealed) { max($0, $1) }
    }

    /// As the token keeps it: the first version without a time.
    var encoded: [UInt8] {
        var fields = RecordFields(time == nil ? .auditHead : .auditHead2)
        fields.append(position.index)
        fields.append(position.hash)
        fields.append(epoch)
        fields.append(revocations)
        if let time {
            fields.append(UInt64(bitPattern: time))
            fields.append(storeEpoch)
            fields.append(AuditRecord.encode(sealed))
        }
        return fields.bytes
    }

    /// - Returns: nil unless the bytes are what ``encoded`` gives.
    init?(encoded: [UInt8]) {
        var reader = FieldReader(encoded)
        let label = reader.text()
        guard label == Labels.auditHead.rawValue || label == Labels.auditHead2.rawValue, let index = reader.number(),
            let hash = reader.bytes(AuditRecord.hashLength), let epoch = reader.number(),
            let revocations = reader.bytes(AuditRecord.hashLength)
        else { return nil }
        self.init(position: AuditPosition(index: index, hash: hash), epoch: epoch, revocations: revocations)
        if label == Labels.auditHead2.rawValue {
            guard let time = reader.number(), let storeEpoch = reader.number(), let sealed = AuditRecord.sealed(&reader)
            else { return nil }
            self.time = Int64(bitPattern: time)
            self.storeEpoch = storeEpoch
            self.sealed = sealed
        }
        // Databases out of order or twice would be another spelling of the same head.
        guard reader.isAtEnd, self.encoded == encoded else { return nil }
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

extension AuditHead {
    /// Takes over what a record says of the databases.
    mutating func carry(_ record: AuditRecord) {
        storeEpoch = max(storeEpoch, record.storeEpoch ?? 0)
        sealed.merge(record.sealed) { max($0, $1) }
    }
}

extension AuditRecord {
    /// Whether the record states no lower epoch of a database than `head` does.
    func tells(_ head: AuditHead) -> Bool {
        (storeEpoch ?? 0) >= head.storeEpoch && head.sealed.allSatisfy { (sealed[$0.key] ?? 0) >= $0.value }
            && head.sealed.keys.allSatisfy { sealed[$0] != nil }
    }
}
