import Dispatch
import Encodings
import GRDB
import Synchronization
import Token

/// Closes the part of the chain that its file holds into an archive, and lets the file begin with the last record of it.
///
/// Beside a writer that goes on. Killed at any moment it leaves the chain whole: until the archive is complete, was read again
/// and has its name, the file begins where it began; from the one transaction that closes the part it begins with the
/// part's last record, and what is still there of the older ones is not looked at. The next run goes on.
public struct AuditRotation: Sendable {
    /// What came of one.
    public struct Result: Sendable, Encodable {
        /// Path of the archive.
        public var archive: String
        public var firstRecord: UInt64
        public var lastRecord: UInt64
        /// Of the last record, with which the chain's file begins from now on; hexadecimal.
        public var hash: String
        /// Whether an earlier run had begun it.
        public var isResumed: Bool
    }

    private let chain: AuditChain
    private let notary: AuditNotary?
    /// Told how much is done, and of how much.
    private let progress: @Sendable (UInt64, UInt64) -> Void

    /// Records that go in one transaction.
    static let removedAtOnce: UInt64 = 1_000
    /// A part of less than that is not closed by size: what else is in the file would grow to it again at once.
    static let least: UInt64 = 1_000

    /// - Parameter notary: Nil for a chain that was begun without a token.
    public init(
        chain: AuditChain, notary: AuditNotary?, progress: @escaping @Sendable (UInt64, UInt64) -> Void = { _, _ in }
    ) {
        self.chain = chain
        self.notary = notary
        self.progress = progress
    }

    /// Closes the part up to a record that is made now, or up to the one of a run that was interrupted.
    ///
    /// - Throws: ``AuditError``, `HSMError` if the token does not sign, `CancellationError`; then the chain is as it was.
    public func run(by actor: String) async throws -> Result {
        do {
            return try await close(by: actor)
        } catch {
            guard error is CancellationError || error is HSMError else {
                throw AuditFailure.translate(error)
            }
            throw error
        }
    }

    private func close(by actor: String) async throws -> Result {
        if let problem = chain.problem { throw problem }
        try await removeClosed()
        var isResumed = true
        var planned = try await plannedPart()
        if planned == nil {
            isResumed = false
            planned = try await plan(by: actor)
        }
        guard let (part, base, position) = planned else {
            throw AuditError(.unavailable, "Revocations came while a part was being closed; try again.")
        }
        try await vouch(for: position)
        try await archive(part, base, position)
        try await chain.pool.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                var part = part
                part.isClosed = true
                try AuditTables.insert(db, part)
                return .commit
            }
        }
        try chain.faults.reached(.partClosed)
        let archive = AuditArchive(part, ofChain: chain.path)
        let result = Result(
            archive: archive.path, firstRecord: part.first, lastRecord: part.last,
            hash: Hexadecimal.encode(position.hash), isResumed: isResumed)
        try await removeClosed()
        return result
    }

    // MARK: Steps

    private typealias Plan = (part: AuditPart, base: AuditBase, position: AuditPosition)

    /// The part that an interrupted run was closing, if its last record still is what it must be.
    private func plannedPart() async throws -> Plan? {
        try await chain.pool.read { db in
            guard let part = try AuditTables.parts(db).last, !part.isClosed,
                let stored = try AuditTables.record(db, part.last), let record = AuditRecord(encoded: stored.body),
                let base = AuditBase(record), base.index == part.last, base.closed?.first == part.first,
                try AuditTables.base(db) == part.first
            else { return nil }
            return (part, base, AuditPosition(index: stored.index, hash: stored.hash))
        }
    }

    /// Makes the record that ends the part, and writes down that it is to be closed.
    private func plan(by actor: String) async throws -> Plan? {
        let first = try await chain.pool.read { try AuditTables.base($0) }
        for _ in 0..<16 {
            let position = try await chain.recordDone(
                AuditStart.rotation(by: actor, after: chain.head, pinned: chain.pinnedKey, first: first))
            try chain.faults.reached(.rotationRecorded)
            let stored = try await chain.pool.read { try AuditTables.record($0, position.index) }
            // A revocation that came between makes the record one like any other.
            guard let record = stored.flatMap({ AuditRecord(encoded: $0.body) }), let base = AuditBase(record) else {
                continue
            }
            let part = AuditPart(
                first: first, last: position.index, name: AuditPart.name(first: first), isClosed: false)
            try await chain.pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    try db.execute(sql: "DELETE FROM parts WHERE closed = 0")
                    try AuditTables.insert(db, part)
                    return .commit
                }
            }
            try chain.faults.reached(.rotationPlanned)
            return (part, base, position)
        }
        return nil
    }

    /// The token signs the last record, and keeps a head that is not before it: what it keeps must be in the file.
    private func vouch(for position: AuditPosition) async throws {
        guard let notary else {
            guard !chain.pinnedKey.isEmpty else { return }
            throw AuditError(.unavailable, "The audit chain is signed by a token, and none is there to sign.")
        }
        let pinned = chain.pinnedKey
        let isSigned = try await chain.pool.read { db in
            guard let checkpoint = try AuditTables.checkpoint(db, position.index)?.checkpoint else { return false }
            return checkpoint.verifies(pinned: pinned) && checkpoint.position == position
        }
        if !pinned.isEmpty, !isSigned { try await notary.checkpoint(of: position) }
        let isTold = await notary.tellToken(atLeast: position.index)
        // A token that cannot remember kept no head that would be missed.
        let isForgetful = await notary.forgetfulness != nil
        guard isTold || isForgetful else {
            throw AuditError(.unavailable, "The token did not take the head of the audit chain; try again.")
        }
    }

    private func archive(_ part: AuditPart, _ base: AuditBase, _ position: AuditPosition) async throws {
        let archive = AuditArchive(part, ofChain: chain.path)
        let total = part.last - part.first + 1
        try archive.prepare()
        if !archive.isNamed {
            try await archive.write(from: chain.pool) { count in
                progress(count, total)
                try chain.faults.reached(.archiveGrew)
            }
        }
        let head = AuditHead(position: position, epoch: base.epoch, revocations: base.revocations)
        let pinned = chain.pinnedKey
        try await Self.offTheTasks { isStopped in
            try archive.check(pinned: pinned, head: head, isStopped: isStopped)
        }
        try Task.checkCancellation()
        try chain.faults.reached(.archiveChecked)
        if archive.isNamed { try archive.removeAside() } else { try archive.name() }
        try chain.faults.reached(.archiveNamed)
    }

    /// Removes records that are in a closed part. An interrupted run may have left some.
    public func removeClosed() async throws {
        let base = try await chain.pool.read { try AuditTables.base($0) }
        while true {
            try Task.checkCancellation()
            let isMore = try await chain.pool.writeWithoutTransaction { db -> Bool in
                guard
                    let first = try Int64.fetchOne(
                        db, sql: "SELECT MIN(idx) FROM records WHERE idx < ?", arguments: [Int64(bitPattern: base)])
                else { return false }
                let end = Swift.min(UInt64(bitPattern: first) + Self.removedAtOnce, base)
                try db.inTransaction(.immediate) {
                    for table in ["records", "checkpoints"] {
                        try db.execute(
                            sql: "DELETE FROM \(table) WHERE idx < ?", arguments: [Int64(bitPattern: end)])
                    }
                    return .commit
                }
                return end < base
            }
            try chain.faults.reached(.recordsRemoved)
            guard isMore else { return }
        }
    }

    /// Whether the file has at least so many bytes of use, and enough records to be worth an archive.
    public func isDue(size: Int) async throws -> Bool {
        try await chain.pool.read { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            let length = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
            guard (pages - free) * length >= size else { return false }
            let last = try AuditTables.lastRecord(db)?.index ?? 0
            return try last - AuditTables.base(db) >= Self.least
        }
    }

    /// Gives the file's free pages back to the disk; needs as much room meanwhile as the file has in use. Not beside a daemon: it
    /// holds up every record.
    public func compact() async throws(AuditError) {
        do {
            try await chain.pool.writeWithoutTransaction { db in try db.execute(sql: "VACUUM") }
        } catch {
            throw AuditFailure.translate(error)
        }
    }

    /// Runs what blocks on a thread of its own, and tells it when the task is cancelled.
    private static func offTheTasks(
        _ body: @escaping @Sendable (_ isStopped: () -> Bool) throws -> Void
    ) async throws {
        let stop = Stop()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                DispatchQueue.global(qos: .utility).async {
                    do {
                        try body { stop.isSet.load(ordering: .relaxed) }
                        continuation.resume()
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            }
        } onCancel: {
            stop.isSet.store(true, ordering: .relaxed)
        }
    }

    private final class Stop: Sendable {
        let isSet = Atomic<Bool>(false)
    }
}
