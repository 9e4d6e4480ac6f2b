import Glibc
import HummingbirdCore
import NIOCore
import Synchronization

/// The connections of one listener: counts them, and closes the one that waits longest for its client when another client
/// comes and no more may be open.
///
/// A connection whose request is being answered is never closed for another.
///
/// - Concurrency: any thread.
final class ConnectionTable: Sendable {
    /// A client that was just accepted has this long to be heard before another one may take its place.
    static let grace = TimeAmount.milliseconds(50)
    /// Within a request a client may pause this long.
    static let patience = TimeAmount.milliseconds(250)
    /// Beyond the limit for as long as closing others takes.
    private static let slack = 4
    /// After a failure to accept.
    private static let pause = TimeAmount.milliseconds(100)

    let limit: Int
    private let state = Mutex(State())

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        /// Accepted and not closed yet; some of them are not in ``entries`` yet, or no longer.
        var count = 0
        /// Chosen for closing, and not gone yet.
        var closing: Set<ObjectIdentifier> = []
        var closed: UInt64 = 0
        var failures: UInt64 = 0
        var listener: (any Channel)?
        var isWakeScheduled = false
        var pausedUntil: NIODeadline?
    }

    /// One connection, as far as the choice needs it.
    final class Entry: Sendable {
        enum Phase: UInt64 {
            /// A request is being answered.
            case busy
            /// No request has begun.
            case idle
            /// A request has begun, and its body or the reading of its answer waits for the client.
            case midway
        }

        let channel: any Channel
        /// A phase in the last two bits, its beginning before them.
        private let word: Atomic<UInt64>

        init(_ channel: any Channel) {
            self.channel = channel
            word = Atomic(Self.pack(.idle, .now()))
        }

        func become(_ phase: Phase) { word.store(Self.pack(phase, .now()), ordering: .relaxed) }

        var phase: (Phase, since: NIODeadline) {
            let word = word.load(ordering: .relaxed)
            return (Phase(rawValue: word & 3) ?? .busy, .uptimeNanoseconds(word >> 2))
        }

        private static func pack(_ phase: Phase, _ now: NIODeadline) -> UInt64 {
            now.uptimeNanoseconds << 2 | phase.rawValue
        }

        /// Whether the connection may be closed for another.
        func isClosable(at now: NIODeadline) -> Bool {
            switch phase {
            case (.busy, _): false
            case (.idle, let since): now - since >= ConnectionTable.grace
            case (.midway, let since): now - since >= ConnectionTable.patience
            }
        }
    }

    init(limit: Int) { self.limit = max(1, limit) }

    /// Open now.
    var count: Int { state.withLock { $0.count } }
    /// Closed for others so far.
    var closedForOthers: UInt64 { state.withLock { $0.closed } }
    /// Failures to accept so far.
    var acceptFailures: UInt64 { state.withLock { $0.failures } }

    // MARK: What the connections tell

    func enter(_ channel: any Channel) -> Entry {
        let entry = Entry(channel)
        state.withLock { $0.entries[ObjectIdentifier(entry)] = entry }
        return entry
    }

    func leave(_ entry: Entry) {
        state.withLock { state in
            state.entries[ObjectIdentifier(entry)] = nil
            state.closing.remove(ObjectIdentifier(entry))
        }
    }

    // MARK: What the listener asks

    /// Begins to look after a listener: it is asked to accept again after it was held, and outlives failures to accept.
    func attach(to listener: any Channel) async {
        // Whatever goes wrong here has closed the listener, which is reported elsewhere.
        try? await attached(to: listener).get()
    }

    func attached(to listener: any Channel) -> EventLoopFuture<Void> {
        state.withLock { $0.listener = listener }
        return listener.pipeline.addHandler(AcceptErrorHandler(self), position: .first)
    }

    func opened() {
        state.withLock { $0.count += 1 }
        closeSurplus()
    }

    private func closeSurplus() {
        let surplus = state.withLock { $0.count - $0.closing.count - limit }
        for _ in 0..<max(0, surplus) where !closeOne() { return }
    }

    func closed() { state.withLock { $0.count -= 1 } }

    /// Whether another connection may be accepted: there is room, or one can be closed for it.
    func mayAccept(now: NIODeadline = .now()) -> Bool {
        closeSurplus()
        let (may, listener) = state.withLock { state -> (Bool, (any Channel)?) in
            if let until = state.pausedUntil, until > now { return (false, Self.wake(&state)) }
            state.pausedUntil = nil
            if state.count < limit { return (true, nil) }
            // Whoever comes now finds somebody who makes room.
            let isPossible =
                state.count < limit + Self.slack && state.entries.values.contains { $0.isClosable(at: now) }
            return isPossible ? (true, nil) : (false, Self.wake(&state))
        }
        if let listener {
            listener.eventLoop.scheduleTask(in: Self.grace) {
                self.state.withLock { $0.isWakeScheduled = false }
                listener.read()
            }
        }
        return may
    }

    private static func wake(_ state: inout State) -> (any Channel)? {
        guard let listener = state.listener, !state.isWakeScheduled else { return nil }
        state.isWakeScheduled = true
        return listener
    }

    /// The system gave no descriptor or no memory for a connection: makes room, and waits a moment.
    func acceptFailed() {
        state.withLock { state in
            state.failures += 1
            state.pausedUntil = .now() + Self.pause
        }
        closeOne()
    }

    /// Closes the connection that waits longest, one without a request before one within it.
    ///
    /// - Returns: Whether there is one.
    @discardableResult private func closeOne() -> Bool {
        let now = NIODeadline.now()
        let chosen = state.withLock { state -> Entry? in
            var best: (entry: Entry, isMidway: Bool, since: NIODeadline)?
            for entry in state.entries.values where entry.isClosable(at: now) {
                let (phase, since) = entry.phase
                let candidate = (entry: entry, isMidway: phase == .midway, since: since)
                guard let known = best else {
                    best = candidate
                    continue
                }
                let isBetter =
                    known.isMidway == candidate.isMidway ? candidate.since < known.since : known.isMidway
                if isBetter { best = candidate }
            }
            guard let best else { return nil }
            state.entries[ObjectIdentifier(best.entry)] = nil
            state.closing.insert(ObjectIdentifier(best.entry))
            return best.entry
        }
        guard let chosen else { return false }
        // On its own loop it is known whether a request has come meanwhile.
        chosen.channel.eventLoop.execute {
            if chosen.isClosable(at: .now()) {
                self.state.withLock { $0.closed += 1 }
                chosen.channel.close(promise: nil)
            } else if chosen.channel.isActive {
                self.state.withLock { state in
                    state.entries[ObjectIdentifier(chosen)] = chosen
                    state.closing.remove(ObjectIdentifier(chosen))
                }
                self.closeSurplus()
            }
        }
        return true
    }
}

/// Lets the library's listener ask the table.
struct ConnectionBound: AvailableConnectionsDelegate {
    let table: ConnectionTable

    mutating func connectionOpened() { table.opened() }
    mutating func connectionClosed() { table.closed() }
    func isAcceptingNewConnections() -> Bool { table.mayAccept() }
}

/// Keeps the listener alive when one connection cannot be accepted: the error would end the loop that serves all others.
final class AcceptErrorHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel

    /// What concerns one connection, or passes.
    private static let passing = [ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EINTR]
    private let table: ConnectionTable

    init(_ table: ConnectionTable) { self.table = table }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.passing.contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        table.acceptFailed()
    }
}
