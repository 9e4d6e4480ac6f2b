import EnclaveLock
import GRDB
import SecretMemory
import Storage
import Synchronization
import Workers

/// The record of every decision: one SQLite file, each record hashed with the one before it.
///
/// Write-ahead log, flushed to the disk at every commit (`synchronous=FULL`), records that arrive together share a flush.
/// A record that cannot be written is an error for whoever is about to act on it.
///
/// - Concurrency: any task. What blocks runs on the database's own threads.
public final class AuditChain: AuditRecording {
    /// Whether the chain is the one that the token remembers.
    public enum Standing: Sendable {
        /// Not compared yet: nothing is allowed meanwhile.
        case unchecked
        case trusted
        /// It is not; nothing is allowed until an operator adopts it.
        case refused(String)
    }

    /// Fingerprint of the audit key that record 1 pins; empty for a chain that was begun without a token and is never
    /// signed.
    public let pinnedKey: String

    let pool: DatabasePool
    let writeProbe: WriteProbe
    let writer: AuditWriter
    let faults: AuditFaults
    private let configuration: AuditConfiguration
    private let files: AuditFiles
    private let standingState: Mutex<Standing>
    private let stores: WatchedStores
    private let clock: Task<Void, Never>

    /// Opens or makes the chain and appends the record of this start. Blocks for file operations.
    ///
    /// - Throws: `.inUse` if another process writes it, `.damaged` if its end or its revocations are not what was
    ///   written, `.unavailable`; the message says what to do.
    public convenience init(_ configuration: AuditConfiguration) throws(AuditError) {
        try self.init(configuration, faults: .none)
    }

    init(_ configuration: AuditConfiguration, faults: AuditFaults) throws(AuditError) {
        let files = try AuditFiles(writing: configuration.path)
        let pool = try AuditDatabase.open(configuration.path)
        let boot = try Self.makeBoot()
        let tail = try AuditDatabase.tail(pool, configuration, boot: boot)
        let revoked = RevokedSubjects()
        for subject in tail.subjects { try revoked.insert(subject) }
        let stores = WatchedStores(configuration.store, told: tail.head)
        let writer = AuditWriter(
            pool: pool, head: tail.head, revoked: revoked, boot: boot, configuration: configuration, stores: stores,
            faults: faults)
        self.files = files
        self.pool = pool
        writeProbe = WriteProbe(pool)
        self.writer = writer
        self.faults = faults
        self.configuration = configuration
        pinnedKey = tail.pinned
        let isUnasked = tail.pinned.isEmpty && !configuration.isCompared || configuration.isWithoutToken
        standingState = Mutex(isUnasked ? .trusted : .unchecked)
        self.stores = stores
        clock = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(200))
                writer.expire(at: .now)
                writer.start()
            }
        }
    }

    deinit { clock.cancel() }

    private static func makeBoot() throws(AuditError) -> [UInt8] {
        do {
            return try SecretBytes.random(count: AuditRecord.bootLength).withUnsafeBytes { Array($0) }
        } catch {
            throw AuditError(.unavailable, "No random bytes for this process: \(error)")
        }
    }

    // MARK: Recording

    public func record(_ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        try permit(event)
        return try await append(.event, event, subject: nil)
    }

    /// ``record(_:)`` for what has been done already. After an error the record is not dropped: it is written when the
    /// chain can be written again.
    ///
    /// - Throws: ``AuditError``; the caller then tells that the deed has no record yet.
    public func recordDone(_ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        try await append(.event, event, subject: nil, isKept: true)
    }

    /// Hands a record over without waiting for the disk; it is durable some milliseconds later. For decisions that are
    /// worth an answer before that: at most ``AuditConfiguration/queueLimit`` of them are lost if the machine stops.
    ///
    /// Returns at once while there is room. When the queue is nearly full it returns as soon as the writer has made room,
    /// at most ``AuditConfiguration/timeout`` later.
    ///
    /// - Throws: `.overloaded` if there was no room until then, `.unavailable` while writes fail, `.untrusted`. The caller
    ///   then refuses what it was about to allow.
    public func post(_ event: AuditEvent) async throws(AuditError) {
        try permit(event)
        let item = item(.event, event, subject: nil, isKept: true)
        if try writer.enqueue(item) == .taken { return }
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Void, AuditError>, Never>) in
            var item = item
            let room = AuditAnswer(continuation)
            item.room = room
            do throws(AuditError) {
                switch try writer.enqueue(item) {
                case .taken: room.deliver(.success(()))
                case .held: break
                case .full: room.deliver(.failure(Self.overloaded))
                }
            } catch {
                room.deliver(.failure(error))
            }
        }
        try result.get()
    }

    private static var overloaded: AuditError {
        AuditError(.overloaded, "Too many records wait to be written; try again.")
    }

    /// ``record(_:)`` for a decision that revokes `subject`.
    func revoke(_ subject: String, _ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        guard !subject.isEmpty, subject.utf8.count <= AuditLimits.subject else {
            throw AuditError(.invalidArgument, "What is revoked has a name of 1 to \(AuditLimits.subject) bytes.")
        }
        var event = event
        event.subject = subject
        return try await append(.revocation, event, subject: subject)
    }

    private func append(
        _ kind: AuditRecord.Kind, _ event: AuditEvent, subject: String?, isKept: Bool = false
    ) async throws(AuditError) -> AuditPosition {
        let item = item(kind, event, subject: subject, isKept: isKept)
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<AuditPosition, AuditError>, Never>) in
            var item = item
            let answer = AuditAnswer(continuation)
            item.answer = answer
            do throws(AuditError) {
                if try writer.enqueue(item) == .full { answer.deliver(.failure(Self.overloaded)) }
            } catch {
                answer.deliver(.failure(error))
            }
        }
        return try result.get()
    }

    private func item(_ kind: AuditRecord.Kind, _ event: AuditEvent, subject: String?, isKept: Bool) -> AuditItem {
        AuditItem(
            kind: kind, event: AuditRecord.encode(AuditLimits.bounded(event)), subject: subject,
            deadline: .now + configuration.timeout, isKept: isKept)
    }

    // MARK: State

    /// The chain's file.
    var path: String { configuration.path }

    /// The end of what is durable.
    public var head: AuditHead { writer.state.withLock { $0.head } }

    public var standing: Standing { standingState.withLock { $0 } }

    /// Why decisions are refused now; nil if they are not.
    public var problem: AuditError? { writer.state.withLock { $0.failure } ?? distrust }

    /// Why a database is not the one that the chain knows of; nil if all are, or after ``adoptStore()``.
    public var olderStore: AuditError? { stores.problem }

    /// Looks at the databases again, after an operator accepted one and its epoch was raised.
    public func adoptStore() { stores.look(told: head) }

    /// Watches a further database.
    public func watch(_ store: WatchedStore) { stores.add(store, told: head) }

    /// Takes what the comparison of a database with its seal came to; nil if the seal holds.
    ///
    /// A refusal is recorded.
    public func settle(_ name: String, _ problem: AuditError?) async {
        stores.settle(name, problem)
        guard let problem else { return }
        try? await post(AuditStart.refusal(of: name, problem))
    }

    /// Reports why a database could not be compared with its seal yet.
    public func delay(_ name: String, _ reason: String) { stores.delay(name, reason) }

    public func tellStates() async throws(AuditError) {
        let head = head
        var now = head
        stores.raise(&now)
        guard now.sealed != head.sealed || now.storeEpoch != head.storeEpoch else { return }
        _ = try await recordDone(AuditStart.states(now.sealed))
    }

    func settle(_ standing: Standing) { standingState.withLock { $0 = standing } }

    /// What allows something needs a chain that can be trusted; a refusal is recorded in any case.
    private func permit(_ event: AuditEvent) throws(AuditError) {
        if event.outcome == .allowed, let distrust { throw distrust }
    }

    /// Whether what ``problem`` tells is only that the start is not over: the token or a seal was not asked yet.
    public var isStarting: Bool {
        switch standing {
        case .unchecked: true
        case .trusted: writer.state.withLock { $0.failure } == nil && stores.problem == nil && stores.isWaiting != nil
        case .refused: false
        }
    }

    /// Why nothing may be allowed, whether it is recorded or not; nil if it may.
    public var distrust: AuditError? {
        if let olderStore { return olderStore }
        return switch standing {
        case .trusted: stores.isWaiting
        case .unchecked:
            AuditError(.untrusted, "The audit chain was not compared with the token yet; try again.")
        case .refused(let reason): AuditError(.untrusted, reason)
        }
    }

    /// Returns when everything that was taken before is durable, or cannot be written now; at most
    /// ``AuditConfiguration/timeout`` later.
    public func flush() async {
        let limit = ContinuousClock.now + configuration.timeout
        while !writer.isIdle, ContinuousClock.now < limit {
            writer.start()
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Writes what waits, then closes the file. What still comes is refused.
    public func close() async {
        writer.close()
        await flush()
        clock.cancel()
        try? SQLiteFile.close(pool)
        files.release()
    }
}
