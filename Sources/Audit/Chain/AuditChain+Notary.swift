import GRDB

/// What the notary asks of the chain.
extension AuditChain {
    /// The last checkpoint, which was verified when the chain was opened; nil if there is none.
    func lastCheckpoint() throws(AuditError) -> AuditCheckpoint? {
        try AuditFailure.translating { try pool.read { db in try AuditTables.lastCheckpoint(db)?.checkpoint } }
    }

    /// What the token's counter stood at when the chain was last signed by the key that it pins now; 0 if it was not.
    func lastCounter() throws(AuditError) -> UInt64 {
        try AuditFailure.translating { try pool.read { db in try AuditHandover.lastCounter(db) } }
    }

    func store(_ checkpoint: AuditCheckpoint) async throws {
        try await pool.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                try AuditTables.insert(db, checkpoint)
                return .commit
            }
        }
    }

    /// How the chain differs from one that had `remembered` as its head; nil if it goes on from there.
    func difference(from remembered: AuditHead) async throws -> String? {
        let head = head
        guard remembered.position.index <= head.position.index, remembered.epoch <= head.epoch else {
            if let anew = try await anew(after: remembered) { return anew }
            return "The audit chain is an older copy: it ends at record \(head.position.index) with \(head.epoch) "
                + "revocations, and the token remembers record \(remembered.position.index) with "
                + "\(remembered.epoch)."
        }
        let base = try await pool.read { try AuditTables.base($0) }
        guard remembered.position.index >= base else { return try await difference(from: remembered, before: base) }
        let (record, hash) = try await pool.read { db in
            var hash = AuditRecord.origin
            for revocation in try AuditTables.revocations(db).prefix(Int(clamping: remembered.epoch)) {
                hash = try AuditHead.revocations(hash, epoch: revocation.epoch, subject: revocation.subject)
            }
            return (try AuditTables.record(db, remembered.position.index), hash)
        }
        guard record?.hash == remembered.position.hash, hash == remembered.revocations else {
            if let anew = try await anew(after: remembered) { return anew }
            return "The audit chain is another one than the token remembers: they differ at or before record "
                + "\(remembered.position.index)."
        }
        return nil
    }

    /// Words for a chain whose first record is younger than the head that the token remembers; nil for another one. An operator who
    /// takes it for an older copy looks for a newer one, and not for the file that was lost.
    private func anew(after remembered: AuditHead) async throws -> String? {
        let first = try await pool.read { db in
            try AuditTables.record(db, 1).flatMap { AuditRecord(encoded: $0.body) }
        }
        guard let first, let time = remembered.time, first.time > time else { return nil }
        return "The audit chain is another one than the token remembers: it was begun anew behind record "
            + "\(remembered.position.index). audit.db was lost or emptied before a start; look for the file, or restore "
            + "it from a backup."
    }

    /// The same for a head that is in an archive: the chain was rotated while no token was configured, which could have been told.
    private func difference(from remembered: AuditHead, before base: UInt64) async throws -> String? {
        // On a reader's thread: all of it is read.
        let report = try await pool.read { [path] _ in
            try AuditReader(path: path, isDatabase: true).verify(expected: [remembered])
        }
        return report.finding.map { finding in
            "The token remembers record \(remembered.position.index) of the audit chain, which is in an archive, since audit.db "
                + "begins with record \(base): \(finding.message) Put the archives back into "
                + "'\(AuditPart.directory(ofChain: path))' and start again."
        }
    }
}
