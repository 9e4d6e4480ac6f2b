import GRDB

/// What a chain says about itself when it is opened. Reads the record with which the file begins, those after the last
/// checkpoint and all revocations; the rest is for the verifier.
struct AuditTail: Sendable {
    var head: AuditHead
    /// The audit key's fingerprint that the file's first record pins; empty if it pins none.
    var pinned: String
    var subjects: [String]

    /// - Returns: nil for a file without records.
    /// - Throws: ``AuditError`` with `.damaged`; the message names the first bad record.
    static func read(_ db: Database) throws -> AuditTail? {
        guard let last = try AuditTables.lastRecord(db) else {
            guard try AuditTables.lastCheckpoint(db) == nil, try AuditTables.parts(db).isEmpty,
                try AuditTables.revocations(db).isEmpty
            else {
                throw damaged(try AuditTables.base(db), "it is missing")
            }
            return nil
        }
        let (base, start) = try base(db)
        var pinned = base.pinned
        if base.index > 1, !pinned.isEmpty {
            guard let checkpoint = try AuditTables.checkpoint(db, base.index)?.checkpoint,
                checkpoint.verifies(pinned: pinned), checkpoint.position.hash == start.hash
            else { throw damaged(base.index, "the file begins with it, and its checkpoint does not vouch for it") }
        }
        var expected = base.index
        if let checkpoint = try AuditTables.lastCheckpoint(db) {
            guard checkpoint.index <= last.index else {
                throw damaged(last.index + 1, "it is missing, and a checkpoint is not")
            }
            guard checkpoint.index >= expected else { throw damaged(expected, "its checkpoint is missing") }
            expected = checkpoint.index
            let succession = try AuditHandover.succession(db, from: pinned)
            pinned = succession.pinned
            // That of a record which hands the chain over is the word of the key before.
            let signer = succession.last.flatMap { $0.index == expected ? $0.from : nil } ?? pinned
            guard checkpoint.checkpoint?.verifies(pinned: signer) == true,
                try AuditTables.record(db, expected)?.hash == checkpoint.checkpoint?.position.hash
            else { throw damaged(expected, "its checkpoint does not vouch for it") }
        }
        var previous: [UInt8]?
        var told = AuditHead(position: AuditPosition(index: 0, hash: []), epoch: 0, revocations: [])
        let records = try AuditTables.records(db, from: expected)
        while let row = try records.next() {
            let stored = AuditTables.StoredRecord(row)
            guard stored.index == expected else { throw damaged(expected, "it is missing") }
            guard let record = try intact(stored) else { throw damaged(expected, "it is altered") }
            if let previous, record.previous != previous {
                throw damaged(expected, "it does not follow the one before")
            }
            // Unsigned records could be hashed again by anybody; what was told before them stays told.
            guard record.tells(told) else {
                throw damaged(expected, "it tells a lower epoch of a database than the one before")
            }
            told.carry(record)
            previous = stored.hash
            expected += 1
        }
        let (subjects, revocations) = try revocations(db)
        let head = try head(db)
        guard head.epoch == UInt64(subjects.count), head.revocations == revocations else {
            throw AuditError(.damaged, "The list of revocations is not the one that the records tell.")
        }
        return AuditTail(head: head, pinned: pinned, subjects: subjects)
    }

    /// The end of the chain as the file has it.
    static func head(_ db: Database) throws -> AuditHead {
        guard let last = try AuditTables.lastRecord(db), let record = try intact(last) else {
            throw AuditError(.damaged, "The last record of the audit chain is missing or altered.")
        }
        let base = try base(db).base
        var revocations = base.revocations
        if record.epoch != base.epoch {
            guard
                let index = try Int64.fetchOne(
                    db, sql: "SELECT idx FROM revocations WHERE epoch = ?", arguments: [Int64(bitPattern: record.epoch)]
                ),
                let stored = try AuditTables.record(db, UInt64(bitPattern: index)), let revocation = try intact(stored),
                revocation.kind == .revocation, revocation.epoch == record.epoch
            else { throw AuditError(.damaged, "The record of revocation \(record.epoch) is missing or altered.") }
            revocations = revocation.revocations
        }
        var head = AuditHead(
            position: AuditPosition(index: last.index, hash: last.hash), epoch: record.epoch, revocations: revocations)
        head.carry(record)
        head.time = record.time
        return head
    }

    /// The record with which the file begins, as its list of parts says.
    static func base(_ db: Database) throws -> (base: AuditBase, stored: AuditTables.StoredRecord) {
        let index = try AuditTables.base(db)
        guard let stored = try AuditTables.record(db, index), let record = try intact(stored),
            let base = AuditBase(record)
        else { throw damaged(index, "it is missing or altered, and the file begins with it") }
        return (base, stored)
    }

    /// All subjects in the order of their revocation, and the hash over them.
    private static func revocations(_ db: Database) throws -> (subjects: [String], hash: [UInt8]) {
        var hash = AuditRecord.origin
        var subjects: [String] = []
        for revocation in try AuditTables.revocations(db) {
            guard revocation.epoch == UInt64(subjects.count) + 1 else {
                throw AuditError(.damaged, "Revocation \(subjects.count + 1) is missing from the list.")
            }
            hash = try AuditHead.revocations(hash, epoch: revocation.epoch, subject: revocation.subject)
            subjects.append(revocation.subject)
        }
        return (subjects, hash)
    }

    /// Nil unless hash and index are those of the bytes.
    private static func intact(_ stored: AuditTables.StoredRecord) throws -> AuditRecord? {
        guard try AuditRecord.hash(stored.body) == stored.hash, let record = AuditRecord(encoded: stored.body),
            record.index == stored.index
        else { return nil }
        return record
    }

    private static func damaged(_ index: UInt64, _ what: String) -> AuditError {
        AuditError(
            .damaged, "Record \(index) of the audit chain cannot be trusted: \(what). Run `kmsd audit verify`.")
    }
}
