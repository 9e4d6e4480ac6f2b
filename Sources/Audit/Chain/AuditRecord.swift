import Encodings
import LibCrypto

/// One record of the chain, as it is hashed and stored.
public struct AuditRecord: Sendable, Hashable {
    /// What a record says.
    public enum Kind: String, Sendable, Codable {
        /// A process began to write. The first one is record 1; it pins the audit key.
        case start
        /// A decision.
        case event
        /// A decision that revokes its subject permanently and raises the epoch by one.
        case revocation
    }

    /// From 1, without gaps.
    public var index: UInt64
    /// Milliseconds since 1970 by the system's clock. Order is by index: clocks jump.
    public var time: Int64
    /// 16 random bytes of the writing process.
    public var boot: [UInt8]
    /// Serial number of the token that the process was configured with; empty without a token.
    public var token: String
    /// Hash of the record before; 32 zero bytes in record 1.
    public var previous: [UInt8]
    public var kind: Kind
    /// Revocations up to and with this record.
    public var epoch: UInt64
    /// In a revocation: the hash over all revocations with this one, 32 bytes; empty otherwise.
    public var revocations: [UInt8]
    /// The highest epoch of the keystores' database that was durable when the record was made; nil in records of version 1,
    /// which do not tell it.
    public var storeEpoch: UInt64?
    /// The same of every database that has a seal, by the file's name; empty in records of versions 1 and 2.
    public var sealed: [String: UInt64]  // exact: the names are this program's own, in ASCII.
    public var event: AuditEvent

    static let hashLength = 32
    static let bootLength = 16
    static let origin = [UInt8](repeating: 0, count: hashLength)

    /// The canonical bytes.
    public var encoded: [UInt8] {
        Self.encode(
            index: index, time: time, boot: boot, token: token, previous: previous, kind: kind, epoch: epoch,
            revocations: revocations, storeEpoch: storeEpoch, sealed: Self.states(sealed), event: Self.encode(event))
    }

    /// The part of a record that tells the sealed databases; nil if there is none.
    // exact: the names are this program's own, in ASCII.
    static func states(_ sealed: [String: UInt64]) -> RecordFields? { sealed.isEmpty ? nil : encode(sealed) }

    /// Number of databases, then name and epoch of each in the order of the names' bytes.
    // exact: the names are this program's own, in ASCII.
    static func encode(_ sealed: [String: UInt64]) -> RecordFields {
        var fields = RecordFields(capacity: 12 + 36 * sealed.count)
        fields.append(UInt64(sealed.count))
        for (name, epoch) in sealed.sorted(by: { precedes($0.key, $1.key) }) {
            fields.append(name)
            fields.append(epoch)
        }
        return fields
    }

    // exact: the names are this program's own, in ASCII.
    static func sealed(_ reader: inout FieldReader) -> [String: UInt64]? {
        guard let count = reader.number(), count <= UInt64(AuditLimits.databases) else { return nil }
        var sealed: [String: UInt64] = [:]  // exact: the names are this program's own, in ASCII.
        for _ in 0..<count {
            guard let name = reader.text(), let epoch = reader.number() else { return nil }
            sealed[name] = epoch
        }
        return sealed
    }

    /// The event's part of the canonical bytes, which does not depend on the place in the chain.
    static func encode(_ event: AuditEvent) -> RecordFields {
        var fields = RecordFields(capacity: 256)
        for text in [
            event.front, event.actor, event.operation, event.subject, event.outcome.rawValue, event.reason,
            event.requestID,
        ] { fields.append(text) }
        fields.append(UInt64(event.details.count))
        if !event.details.isEmpty {
            for (name, value) in event.details.sorted(by: { Self.precedes($0.key, $1.key) }) {
                fields.append(name)
                fields.append(value)
            }
        }
        return fields
    }

    static func encode(
        index: UInt64, time: Int64, boot: [UInt8], token: String, previous: [UInt8], kind: Kind, epoch: UInt64,
        revocations: [UInt8], storeEpoch: UInt64?, sealed: RecordFields? = nil, event: RecordFields
    ) -> [UInt8] {
        let label: Labels = storeEpoch == nil ? .auditRecord : sealed == nil ? .auditRecord2 : .auditRecord3
        var fields = RecordFields(label, capacity: 384 + event.bytes.count)
        fields.append(index)
        fields.append(UInt64(bitPattern: time))
        fields.append(boot)
        fields.append(token)
        fields.append(previous)
        fields.append(kind.rawValue)
        fields.append(epoch)
        fields.append(revocations)
        if let storeEpoch { fields.append(storeEpoch) }
        if let sealed, label == .auditRecord3 { fields.append(sealed) }
        fields.append(event)
        return fields.bytes
    }

    /// By bytes, which is one order on every system.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// Reads canonical bytes.
    ///
    /// - Returns: nil unless they are exactly what ``encoded`` gives for a record.
    public init?(encoded: [UInt8]) {
        guard encoded.count <= AuditLimits.record else { return nil }
        var reader = FieldReader(encoded)
        let label = reader.text()
        let tellsSeals = label == Labels.auditRecord3.rawValue
        let tellsStore = tellsSeals || label == Labels.auditRecord2.rawValue
        guard tellsStore || label == Labels.auditRecord.rawValue, let index = reader.number(),
            let time = reader.number(),
            let boot = reader.bytes(Self.bootLength), let token = reader.text(),
            let previous = reader.bytes(Self.hashLength), let kind = reader.text().flatMap(Kind.init),
            let epoch = reader.number(), let revocations = reader.bytes(),
            revocations.count == (kind == .revocation ? Self.hashLength : 0),
            let storeEpoch = tellsStore ? reader.number() : 0,
            let sealed = tellsSeals ? Self.sealed(&reader) : [:],
            let event = Self.event(&reader), reader.isAtEnd
        else { return nil }
        self.init(
            index: index, time: Int64(bitPattern: time), boot: boot, token: token, previous: previous, kind: kind,
            epoch: epoch, revocations: revocations, storeEpoch: tellsStore ? storeEpoch : nil, sealed: sealed,
            event: event)
        // Details out of order or twice would be another spelling of the same record.
        guard self.encoded == encoded else { return nil }
    }

    init(
        index: UInt64, time: Int64, boot: [UInt8], token: String, previous: [UInt8], kind: Kind, epoch: UInt64,
        // exact: the names are this program's own, in ASCII.
        revocations: [UInt8], storeEpoch: UInt64? = nil, sealed: [String: UInt64] = [:], event: AuditEvent
    ) {
        self.index = index
        self.time = time
        self.boot = boot
        self.token = token
        self.previous = previous
        self.kind = kind
        self.epoch = epoch
        self.revocations = revocations
        self.storeEpoch = storeEpoch
        self.sealed = sealed
        self.event = event
    }

    private static func event(_ reader: inout FieldReader) -> AuditEvent? {
        guard let front = reader.text(), let actor = reader.text(), let operation = reader.text(),
            let subject = reader.text(), let outcome = reader.text().flatMap(AuditEvent.Outcome.init),
            let reason = reader.text(), let requestID = reader.text(), let count = reader.number(),
            count <= UInt64(AuditLimits.details)
        else { return nil }
        var details: [String: String] = [:]  // exact: the names are this program's own, in ASCII.
        for _ in 0..<count {
            guard let name = reader.text(), let value = reader.text() else { return nil }
            details[name] = value
        }
        return AuditEvent(
            front: front, actor: actor, operation: operation, subject: subject, outcome: outcome, reason: reason,
            requestID: requestID, details: details)
    }

    /// SHA-256 of canonical bytes.
    static func hash(_ encoded: [UInt8]) throws(AuditError) -> [UInt8] {
        do {
            return try Digest.sha256(encoded)
        } catch {
            throw AuditError(.unavailable, "A record could not be hashed: \(error.message)")
        }
    }
}
