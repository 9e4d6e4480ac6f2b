import GRDB
import Storage

/// Opens the chain's file.
enum AuditDatabase {
    static func open(_ path: String) throws(AuditError) -> DatabasePool {
        try AuditFailure.translating {
            try SQLiteFile.open(path: path, label: "kmsd.audit", schema: AuditSchema.current, readers: 2)
        }
    }

    /// Opens a file only to read it, also beside the daemon that writes it.
    static func openReadOnly(_ path: String) throws(AuditError) -> DatabaseQueue {
        try AuditFailure.translating {
            try SQLiteFile.openReadOnly(path: path, label: "kmsd.audit.reader", schema: AuditSchema.current)
        }
    }

    /// Checks the end of the chain, makes record 1 if there is none, else appends the record of this start.
    static func tail(
        _ pool: DatabasePool, _ configuration: AuditConfiguration, boot: [UInt8]
    ) throws(AuditError) -> AuditTail {
        try AuditFailure.translating {
            try pool.writeWithoutTransaction { db in
                let found = try AuditTail.read(db)
                if let found, !found.pinned.isEmpty, found.pinned != configuration.keyFingerprint {
                    throw AuditError(
                        .damaged,
                        "The audit chain pins the audit key \(found.pinned), and this token's is "
                            + "\(configuration.keyFingerprint.isEmpty ? "none" : configuration.keyFingerprint). Use the "
                            + "chain's own token, or move the chain away.")
                }
                let record = AuditStart.record(configuration, after: found?.head, boot: boot)
                let body = record.encoded
                let position = AuditPosition(index: record.index, hash: try AuditRecord.hash(body))
                try db.inTransaction(.immediate) {
                    try AuditTables.insert(db, index: position.index, body: body, hash: position.hash)
                    return .commit
                }
                var tail =
                    found
                    ?? AuditTail(
                        head: AuditHead(position: position, epoch: 0, revocations: AuditRecord.origin),
                        pinned: configuration.keyFingerprint, subjects: [])
                tail.head.position = position
                tail.head.storeEpoch = record.storeEpoch ?? 0
                tail.head.sealed = record.sealed
                tail.head.time = record.time
                return tail
            }
        }
    }
}
