import Workers

/// The records that wait to be written, in order, and those whose callers wait for room.
///
/// When the queue is nearly full, whoever posts a record waits until the writer has made room, so that callers are slowed
/// to the writer's pace; the last eighth is for records whose callers wait for the disk anyway. Who finds no room until
/// the record's deadline is refused. Both lists are bounded.
struct AuditQueue: Sendable {
    /// What a call to ``offer(_:)`` came to.
    enum Outcome { case taken, held, full }

    /// Most records that wait to be written, those being written included; as many again may wait for room.
    let limit: Int
    private(set) var waiting: [AuditItem] = []
    private(set) var writing: [AuditItem] = []
    private(set) var held: [AuditItem] = []

    /// Longest time of a transaction, after which the disk counts as stuck.
    private let timeout: Duration
    private var began = ContinuousClock.now

    init(limit: Int, timeout: Duration) {
        self.limit = max(1, limit)
        self.timeout = timeout
    }

    var isEmpty: Bool { waiting.isEmpty && held.isEmpty }

    /// Whether somebody waits for the disk, or there is enough for a transaction to be worth its flush.
    func isPressing(_ enough: Int) -> Bool {
        waiting.count >= enough || !held.isEmpty || waiting.contains { !$0.isPosted }
    }

    /// Takes a record, or makes it wait for room if its caller can.
    mutating func offer(_ item: AuditItem) -> Outcome {
        if hasRoom(for: item), held.isEmpty || !item.isPosted {
            waiting.append(item)
            return .taken
        }
        guard item.answer != nil || item.room != nil, held.count < limit else { return .full }
        held.append(item)
        return .held
    }

    /// Begins a transaction.
    mutating func take(_ count: Int) {
        began = .now
        writing = Array(waiting.prefix(count))
        waiting.removeFirst(writing.count)
    }

    /// Ends a transaction, whatever came of it.
    ///
    /// - Returns: Who has found room in the queue.
    mutating func endTransaction() -> [AuditAnswer<Void>] {
        writing = []
        var admitted = 0
        while admitted < held.count, hasRoom(for: held[admitted]) {
            var item = held[admitted]
            item.room = nil
            waiting.append(item)
            admitted += 1
        }
        let rooms = held.prefix(admitted).compactMap(\.room)
        held.removeFirst(admitted)
        return rooms
    }

    /// After a failed transaction: what nobody waits for is kept, everybody else is to be refused.
    mutating func fail() -> [AuditItem] {
        let all = writing + waiting + held
        // Nobody has been told yet that a record held is queued, unless it tells of what was done.
        waiting = (writing + waiting).filter(\.isKept).map(\.unanswered)
        waiting += held.filter { $0.isKept && !$0.isPosted }.map(\.unanswered)
        held = []
        return all
    }

    /// Takes out what is overdue and what nobody would learn of; a record under way may still become durable.
    ///
    /// - Returns: Whom to refuse: those that found no room, and those whose record was queued but not written.
    mutating func expire(at now: ContinuousClock.Instant) -> (roomless: [AuditItem], late: [AuditItem], isStuck: Bool) {
        func isLate(_ item: AuditItem) -> Bool { !item.isPosted && item.deadline <= now }
        var late = waiting.filter(isLate)
        if !late.isEmpty { waiting = waiting.compactMap { isLate($0) ? $0.isKept ? $0.unanswered : nil : $0 } }
        let roomless = held.filter { $0.deadline <= now }
        if !roomless.isEmpty {
            held.removeAll { $0.deadline <= now }
            // What was done already is not forgotten, within reason: while this lasts nothing more is begun.
            let done = roomless.filter { $0.isKept && !$0.isPosted }.map(\.unanswered)
            waiting += done.prefix(max(0, 2 * limit - waiting.count))
        }
        // A posted record that waited long before its transaction began is no sign of a disk that hangs.
        let stuck = writing.filter { !$0.isPosted && $0.deadline <= now }
        late += stuck
        return (roomless, late, !stuck.isEmpty || (!writing.isEmpty && now - began >= timeout))
    }

    private func hasRoom(for item: AuditItem) -> Bool {
        waiting.count + writing.count < (item.isPosted ? limit - limit / 8 : limit)
    }
}
