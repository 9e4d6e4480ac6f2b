import Dispatch
import Encodings
import GRDB
import Storage
import Synchronization
import Workers

/// Puts records into the chain: those that arrive while one transaction is flushed go together into the next, and those
/// whose callers do not wait for the disk are gathered for some milliseconds.
///
/// - Concurrency: any thread; the chain grows on the database's writer queue only.
final class AuditWriter: Sendable {
    /// Records of one transaction at most.
    static let batchLimit = 4_096
    /// Posted records that are worth a flush of their own.
    static let batchEnough = 512
    /// How long posted records wait for others to share their flush. Most of what a small transaction costs is its flush.
    static let linger: DispatchTimeInterval = .milliseconds(5)

    struct State {
        var queue: AuditQueue
        var isRunning = false
        /// Whether a timer is under way that begins to write.
        var isTimed = false
        var isClosed = false
        /// Why the last write failed; nil after one that did not.
        var failure: AuditError?
        /// The end of what is durable.
        var head: AuditHead
    }

    let pool: DatabasePool
    private let place: FilePlace
    let revoked: RevokedSubjects
    let state: Mutex<State>
    private let boot: [UInt8]
    private let token: String
    private let stores: WatchedStores
    private let faults: AuditFaults

    init(
        pool: DatabasePool, head: AuditHead, revoked: RevokedSubjects, boot: [UInt8], configuration: AuditConfiguration,
        stores: WatchedStores, faults: AuditFaults
    ) {
        self.pool = pool
        place = FilePlace(pool)
        self.revoked = revoked
        self.boot = boot
        token = configuration.token
        self.stores = stores
        self.faults = faults
        state = Mutex(
            State(queue: AuditQueue(limit: configuration.queueLimit, timeout: configuration.timeout), head: head))
    }

    /// Queues a record. Its answer comes after the commit; its word that there is room, if it has to wait for that, as
    /// soon as it is queued.
    ///
    /// - Throws: ``AuditError`` with `.unavailable`; then nothing is queued.
    func enqueue(_ item: AuditItem) throws(AuditError) -> AuditQueue.Outcome {
        let (result, next) = state.withLock { state -> (Result<AuditQueue.Outcome, AuditError>, Next) in
            if state.isClosed { return (.failure(AuditError(.unavailable, "The audit chain is closed.")), .nothing) }
            // Nobody would learn that such a record is lost, so none is taken while writes fail.
            if item.isPosted, let failure = state.failure { return (.failure(failure), .nothing) }
            let outcome = state.queue.offer(item)
            return (.success(outcome), plan(&state, isPressing: outcome != .taken || !item.isPosted))
        }
        perform(next)
        return try result.get()
    }

    // MARK: When to write

    private enum Next { case nothing, write, gather }

    /// What is to be done about records that wait while nothing is written.
    private func plan(_ state: inout State, isPressing: Bool) -> Next {
        guard !state.isRunning, !state.queue.isEmpty || state.failure != nil else { return .nothing }
        if isPressing || state.failure != nil || state.queue.waiting.count >= Self.batchEnough {
            state.isRunning = true
            return .write
        }
        guard !state.isTimed else { return .nothing }
        state.isTimed = true
        return .gather
    }

    private func perform(_ next: Next) {
        switch next {
        case .nothing: break
        case .write: pool.asyncWriteWithoutTransaction { db in self.step(db) }
        case .gather:
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.linger) {
                self.state.withLock { $0.isTimed = false }
                self.start()
            }
        }
    }

    /// Begins to write unless that is under way.
    func start() { perform(state.withLock { plan(&$0, isPressing: true) }) }

    /// One transaction. Another one is queued behind what else waits for the database, such as a checkpoint.
    private func step(_ db: Database) {
        let (batch, failed) = state.withLock { state in
            state.queue.take(Self.batchLimit)
            return (state.queue.writing, state.failure != nil)
        }
        do {
            let written = try commit(batch, db, isTrial: failed)
            finish(batch, written)
        } catch {
            fail(AuditFailure.translate(error))
        }
        let (rooms, next) = state.withLock { state -> ([AuditAnswer<Void>], Next) in
            let rooms = state.queue.endTransaction()
            state.isRunning = false
            guard state.failure == nil else { return (rooms, .nothing) }
            return (rooms, plan(&state, isPressing: state.queue.isPressing(Self.batchEnough)))
        }
        for room in rooms { room.deliver(.success(())) }
        perform(next)
    }

    private struct Written {
        var head: AuditHead
        var positions: [AuditPosition] = []
        var subjects: [String] = []
    }

    private func commit(_ batch: [AuditItem], _ db: Database, isTrial: Bool) throws -> Written {
        try faults.reached(.beforeTransaction)
        try place.check()
        var written = Written(head: state.withLock { $0.head })
        // A commit that failed may have succeeded: after a failure the file says where the chain ends.
        if isTrial { written.head = try AuditTail.head(db) }
        let time = AuditClock.now()
        written.head.time = time
        // Read after the batch was taken: the record of a change comes after its commit, so it tells the change's epoch.
        stores.raise(&written.head)
        let states = AuditRecord.states(written.head.sealed)
        try db.inTransaction(.immediate) {
            if isTrial {
                try db.execute(sql: "INSERT OR REPLACE INTO probe (id, at) VALUES (1, ?)", arguments: [time])
            }
            let common = Common(time: time, states: states, insertion: try AuditTables.insertion(db))
            for item in batch { try append(item, common, &written, db) }
            try faults.reached(.beforeCommit)
            return .commit
        }
        try? faults.reached(.afterCommit)
        return written
    }

    /// What is the same for every record of a transaction.
    private struct Common {
        let time: Int64
        let states: RecordFields?
        let insertion: Statement
    }

    private func append(_ item: AuditItem, _ common: Common, _ written: inout Written, _ db: Database) throws {
        let index = written.head.position.index + 1
        var kind = item.kind
        var revocations: [UInt8] = []
        if kind == .revocation, let subject = item.subject {
            if try written.subjects.contains(subject) || revoked.contains(subject) {
                // A subject is revoked once; a repeat is stored as an ordinary event.
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
            index: index, time: common.time, boot: boot, token: token, previous: written.head.position.hash, kind: kind,
            epoch: written.head.epoch, revocations: revocations, storeEpoch: written.head.storeEpoch,
            sealed: common.states, event: item.event)
        let position = AuditPosition(index: index, hash: try AuditRecord.hash(body))
        try AuditTables.insert(common.insertion, index: index, body: body, hash: position.hash)
        written.head.position = position
        written.positions.append(position)
    }

    private func finish(_ batch: [AuditItem], _ written: Written) {
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
    private func fail(_ error: AuditError) {
        let refused = state.withLock { state in
            state.failure = error
            return state.queue.fail()
        }
        for item in refused { item.refuse(error) }
    }

    /// Answers what is overdue; a record under way may still become durable, and then tells of something that was
    /// refused.
    func expire(at now: ContinuousClock.Instant) {
        let late = AuditError(.unavailable, "The audit chain did not take the record in time.")
        let overdue = state.withLock { state in
            let overdue = state.queue.expire(at: now)
            if overdue.isStuck { state.failure = late }
            return overdue
        }
        for item in overdue.late { item.refuse(late) }
        guard !overdue.roomless.isEmpty else { return }
        let full = AuditError(.overloaded, "Too many records waited to be written for too long; try again.")
        for item in overdue.roomless { item.refuse(full) }
    }

    /// Tells in the next records what `other` tells of the databases.
    func carry(_ other: AuditHead) { state.withLock { $0.head.carry(other) } }

    /// Whether all records are written, or none can be.
    var isIdle: Bool {
        state.withLock { state in !state.isRunning && (state.queue.isEmpty || state.failure != nil) }
    }

    /// Takes no further record.
    func close() { state.withLock { $0.isClosed = true } }
}
