import Encodings
import GRDB

/// The record with which a chain goes over from the audit key of one token to that of another.
///
/// The next key signs what the record says, with the hash of the record before it, so the words hold for this place of this
/// chain alone; the key before signs the record's checkpoint. Without that checkpoint the record says that somebody began
/// to, and nothing else.
struct AuditHandover: Sendable, Equatable {
    static let operation = "audit-handover"

    /// Fingerprint of the key that the chain pins until here.
    var from: String
    /// Fingerprint of the key that it pins from here on.
    var to: String
    /// SubjectPublicKeyInfo in DER of the key from here on.
    var publicKey: [UInt8]
    /// Serial number of its token, and the instance that the token was provisioned as.
    var token: String
    var instance: String
    /// Hash of the record before.
    var previous: [UInt8]
    /// SHA-256 of the migration's transcript in hex.
    var transcript: String
    /// r ‖ s by the key from here on.
    var signature: [UInt8] = []

    /// What the key from here on signs; docs/FORMATS.md has the bytes.
    var encoded: [UInt8] {
        var fields = RecordFields(.auditHandover)
        fields.append(from)
        fields.append(to)
        fields.append(token)
        fields.append(instance)
        fields.append(previous)
        fields.append(transcript)
        return fields.bytes
    }

    func event(by actor: String) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: actor, operation: Self.operation, subject: "token:" + token, outcome: .allowed,
            reason: "ok", requestID: "",
            details: [
                AuditStart.key: from, "next-audit-key": to, "next-public-key": Hexadecimal.encode(publicKey),
                "next-token": token, "next-instance": instance, "previous": Hexadecimal.encode(previous),
                "transcript": transcript, "next-signature": Hexadecimal.encode(signature),
            ])
    }

    init(
        from: String, to: String, publicKey: [UInt8], token: String, instance: String, previous: [UInt8],
        transcript: String
    ) {
        self.from = from
        self.to = to
        self.publicKey = publicKey
        self.token = token
        self.instance = instance
        self.previous = previous
        self.transcript = transcript
    }

    /// - Parameter pinned: What the chain pins at the record.
    /// - Returns: nil for a record that hands nothing over: of another kind, from another key, for another place, or without the
    ///   next key's signature.
    init?(_ record: AuditRecord, pinned: String) {
        let details = record.event.details
        guard !pinned.isEmpty, AuditStart.isAdoption(record, of: Self.operation), let from = details[AuditStart.key],
            from == pinned, let to = details["next-audit-key"], let token = details["next-token"],
            let instance = details["next-instance"], let transcript = details["transcript"],
            let publicKey = details["next-public-key"].flatMap({ Hexadecimal.decode($0) }),
            let previous = details["previous"].flatMap({ Hexadecimal.decode($0) }), previous == record.previous,
            let signature = details["next-signature"].flatMap({ Hexadecimal.decode($0) }),
            let key = try? AuditPublicKey(subjectPublicKeyInfo: publicKey), key.fingerprint == to, to != from
        else { return nil }
        self.init(
            from: from, to: to, publicKey: publicKey, token: token, instance: instance, previous: previous,
            transcript: transcript)
        self.signature = signature
        guard key.verifies(signature, of: encoded) else { return nil }
    }
}

extension AuditHandover {
    /// Which keys a file has gone over to, one after another.
    struct Succession: Sendable {
        /// What it pins at its end.
        var pinned: String
        /// The last handover; nil if there was none.
        var last: (index: UInt64, from: String)?
    }

    /// Follows the handovers of a file. The last checkpoint that a key has signed is that of the record with which it handed
    /// over, so no record is looked for; a file whose last checkpoint is by the key that its first record pins is not searched.
    ///
    /// - Parameter pinned: By the file's first record.
    static func succession(_ db: Database, from pinned: String) throws -> Succession {
        var found = Succession(pinned: pinned, last: nil)
        guard !pinned.isEmpty, let last = try AuditTables.lastCheckpoint(db)?.checkpoint else { return found }
        let isByAnother = AuditPublicKey.fingerprint(last.publicKey) != pinned
        // exact: fingerprints in lower-case hexadecimal, made here.
        var ends = [AuditPublicKey.fingerprint(last.publicKey): last.position.index]
        if isByAnother { ends = try Self.ends(db) }
        // Each step needs a later checkpoint than the one before, so the loop ends.
        while let index = ends[found.pinned], index > found.last?.index ?? 0,
            let stored = try AuditTables.record(db, index), let record = AuditRecord(encoded: stored.body),
            let handover = AuditHandover(record, pinned: found.pinned),
            let checkpoint = try AuditTables.checkpoint(db, index)?.checkpoint,
            checkpoint.verifies(pinned: found.pinned),
            checkpoint.position.hash == stored.hash
        {
            found = Succession(pinned: handover.to, last: (index, handover.from))
        }
        return found
    }

    /// The last checkpoint of each key.
    private static func ends(_ db: Database) throws -> [String: UInt64] {  // exact: fingerprints in hexadecimal.
        var ends: [String: UInt64] = [:]  // exact: fingerprints in lower-case hexadecimal, made here.
        let rows = try Row.fetchCursor(
            db, sql: "SELECT public_key, MAX(idx) AS idx FROM checkpoints GROUP BY public_key")
        while let row = try rows.next() {
            guard case .blob(let key) = ((row["public_key"] as DatabaseValue?) ?? .null).storage else { continue }
            ends[AuditPublicKey.fingerprint([UInt8](key))] = AuditTables.number(row, "idx")
        }
        return ends
    }

    /// What the token's counter stood at when the file was last signed by the key that it pins now; 0 if it was not.
    static func lastCounter(_ db: Database) throws -> UInt64 {
        guard let last = try AuditTables.lastCheckpoint(db)?.checkpoint else { return 0 }
        let record = try AuditTables.record(db, last.position.index).flatMap { AuditRecord(encoded: $0.body) }
        let isHandedOver =
            record.flatMap { AuditHandover($0, pinned: AuditPublicKey.fingerprint(last.publicKey)) } != nil
        return isHandedOver ? 0 : last.counter ?? 0
    }
}
