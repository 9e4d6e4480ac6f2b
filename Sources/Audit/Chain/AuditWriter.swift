import EnclaveLock
import GRDB
import Synchronization

/// Puts records into the chain: those that arrive while one transaction is flushed go together into the next.
///
/// - Concurrency: any thread; the chain grows on the database's writer queue only.
final class AuditWriter: Sendable {
    static let batchLimit = 512

    struct Item: Sendable {
        var kind: AuditRecord.Kind
        var event: RecordFields
        /// Of a revocation.
        var subject: String?
        var deadline: ContinuousClock.Instant
        /// Whether the record is tried again when a write fails, because it tells of what was done already.
        var isKept: Bool
        /// Nil if nobody waits.
        var answer: AuditAnswer?

        fileprivate var unanswered: Item {
            var item = self
            item.answer = nil
            return item
        }
    }

    struct State {
        var waiting: [Item] = []
        var writing: [Item] = []
        var isRunning = false
        var isClosed = false
        /// Why the last write failed; nil after one that did not.
        var failure: AuditError?
        /// The end of what is durable.
        var head: AuditHead
    }

    let pool: DatabasePool
    let revoked: RevokedSubjects
    let state: Mutex<State>
    private let boot: [UInt8]
    private let token: String
    private let queueLimit: Int
    private let faults: AuditFaults

    init(
        pool: DatabasePool, head: AuditHead, revoked: RevokedSubjects, boot: [UInt8], token: String, queueLimit: Int,
        faults: AuditFaults
    ) {
        self.pool = pool
        self.revoked = revoked
        self.boot = boot
        self.token = token
        self.queueLimit = queueLimit
        self.faults = faults
        state = Mutex(State(head: head))
    }

    /// Queues a record; its answer comes after the commit.
    ///
    /// - Throws: ``AuditError`` with `.overloaded` or `.unavailable`; then nothing is queued.
    func enqueue(_ item: Item) throws(AuditError) {
        let refusal: AuditError? = state.withLock { state in
            if state.isClosed { return AuditError(.unavailable, "The audit chain is closed.") }
            // Nobody would learn that such a record is lost, so none is taken while writes fail.
            if item.answer == nil, let failure = state.failure { return failure }
            guard state.waiting.count + state.writing.count < queueLimit else {
                return AuditError(.overloaded, "Too many records wait to be written; try again.")
            }
            state.waiting.append(item)
            return nil
        }
        if let refusal { throw refusal }
        start()
    }

    /// Begins to write unless that is under way.
    func start() {
        let starts = state.withLock { state in
            guard !state.isRunning, !state.waiting.isEmpty || state.failure != nil else { return false }
            state.isRunning = true
            return true
        }
        if starts { pool.asyncWriteWithoutTransaction { db in self.step(db) } }
    }

    /// One transaction. Another one is queued behind what else waits for the database, such as a checkpoint.
    private func step(_ db: Database) {
        let (batch, failed) = state.withLock { state in
            state.writing = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(state.writing.count)
            return (state.writing, state.failure != nil)
        }
        do {
            let written = try commit(batch, db, isTrial: failed)
            finish(batch, written)
        } catch {
            fail(batch, AuditFailure.translate(error))
        }
        let continues = state.withLock { state in
            state.writing = []
            state.isRunning = state.failure == nil && !state.waiting.isEmpty
            return state.isRunning
        }
        if continues { pool.asyncWriteWithoutTransaction { db in self.step(db) } }
    }

    private struct Written {
        var head: AuditHead
        var positions: [AuditPosition] = []
        var subjects: [String] = []
    }

    private func commit(_ batch: [Item], _ db: Database, isTrial: Bool) throws -> Written {
        try faults.reached(.beforeTransaction)
        var written = Written(head: state.withLock { $0.head })
        // A commit that failed may have succeeded: after a failure the file says where the chain ends.
        if isTrial { written.head = try AuditTail.head(db) }
        let time = AuditClock.now()
        try db.inTransaction(.immediate) {
            if isTrial {
                try db.execute(sql: "INSERT OR REPLACE INTO probe (id, at) VALUES (1, ?)", arguments: [time])
            }
            for item in batch { try append(item, time, &written, db) }
            try faults.reached(.beforeCommit)
            return .commit
        }
        try? faults.reached(.afterCommit)
        return written
    }

    private func append(_ item: Item, _ time: Int64, _ written: inout Written, _ db: Database) throws {
        let index = written.head.position.index + 1
        var kind = item.kind
        var revocations: [UInt8] = []
        if kind == .revocation, let subject = item.subject {
            if try written.subjects.contains(subject) || revoked.contains(subject) {
                // Once is for ever; the second wish is an event like any other.
                kind = .event
            } else {
                written.head.epoch += 1
                revocations = try AuditHead.revocations(
                    written.head.revocations, epoch: written.head.epoch, subject: subject)
                written.head.revocations = revocations
                written.subjects.append(subject)
                try AuditTables.insert(
                    db, AuditTables.Revocation(epoch: written.head.epoch, index: index, subject: subject))
            }
        }
        let body = AuditRecord.encode(
            index: index, time: time, boot: boot, token: token, previous: written.head.position.hash, kind: kind,
            epoch: written.head.epoch, revocations: revocations, event: item.event)
        let position = AuditPosition(index: index, hash: try AuditRecord.hash(body))
        try AuditTables.insert(db, index: index, body: body, hash: position.hash)
        written.head.position = position
        written.positions.append(position)
    }

    private func finish(_ batch: [Item], _ written: Written) {
        // Before anybody is answered: a use that starts after the answer must find the revocation.
        var failure: AuditError?
        for subject in written.subjects {
            do { try revoked.insert(subject) } catch { failure = error }
        }
        state.withLock { state in
            state.head = written.head
            state.failure = failure
        }
        for (item, position) in zip(batch, written.positions) {
            item.answer?.deliver(failure.map { .failure($0) } ?? .success(position))
        }
    }

    /// Answers everybody who waits, and keeps what nobody waits for.
    private func fail(_ batch: [Item], _ error: AuditError) {
        let answered = state.withLock { state in
            state.failure = error
            let all = batch + state.waiting
            state.waiting = all.filter(\.isKept).map(\.unanswered)
            return all.compactMap(\.answer)
        }
        for answer in answered { answer.deliver(.failure(error)) }
    }

    /// Answers what is overdue; a record under way may still become durable, and then tells of something that was
    /// refused.
    func expire(at now: ContinuousClock.Instant) {
        let late = AuditError(.unavailable, "The audit chain did not take the record in time.")
        let answers = state.withLock { state in
            let overdue = state.waiting.filter { $0.answer != nil && $0.deadline <= now }
            if !overdue.isEmpty {
                state.waiting = state.waiting.compactMap { item in
                    guard item.answer != nil, item.deadline <= now else { return item }
                    return item.isKept ? item.unanswered : nil
                }
            }
            let stuck = state.writing.filter { $0.deadline <= now }
            if !stuck.isEmpty { state.failure = late }
            return (overdue + stuck).compactMap(\.answer)
        }
        for answer in answers { answer.deliver(.failure(late)) }
    }

    /// Takes no further record.
    ///
    /// - Returns: Whether all are written, or none can be.
    func close() -> Bool {
        state.withLock { state in
            state.isClosed = true
            return !state.isRunning && (state.waiting.isEmpty || state.failure != nil)
        }
    }
}
