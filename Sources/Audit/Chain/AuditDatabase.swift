import GRDB

/// Opens the chain's file.
enum AuditDatabase {
    static func open(_ path: String) throws(AuditError) -> DatabasePool {
        try AuditFailure.translating {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.maximumReaderCount = 2
            configuration.label = "kmsd.audit"
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // The pool sets NORMAL after its preparation, so FULL is set here, and proven.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
                    throw AuditError(.unavailable, "SQLite does not flush the audit chain at every commit.")
                }
                try AuditSchema.migrate(db)
            }
            return pool
        }
    }

    /// Opens a file only to read it, also beside the daemon that writes it.
    static func openReadOnly(_ path: String) throws(AuditError) -> DatabaseQueue {
        try AuditFailure.translating {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            configuration.label = "kmsd.audit.reader"
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.read { db in
                guard try AuditSchema.check(db) > 0 else {
                    throw AuditError(.unavailable, "The file holds no audit chain.")
                }
            }
            return queue
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
                var record = AuditStart.origin(configuration, boot: boot)
                if let head = found?.head {
                    record.index = head.position.index + 1
                    record.previous = head.position.hash
                    record.epoch = head.epoch
                }
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
                return tail
            }
        }
    }
}
