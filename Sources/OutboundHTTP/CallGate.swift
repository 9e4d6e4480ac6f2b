import Synchronization

/// Lets so many calls through at once; more wait for their turn, a bounded number of them.
///
/// Calls are counted by the network that they go to, so that one that answers slowly holds a part of the places only: who names
/// such a server must not hold up the calls to others. A place that comes free goes to the network that has the fewest.
///
/// - Concurrency: any number of calls at once.
final class CallGate: Sendable {
    /// What calls are counted by: an IPv4 address, the /64 of an IPv6 address, or nothing where none is known yet.
    struct Network: Hashable, Sendable {
        private let prefix: [UInt8]

        static let any = Network(prefix: [])

        private init(prefix: [UInt8]) { self.prefix = prefix }

        init(_ address: NetworkAddress) { self.init(prefix: Array(address.bytes.prefix(address.isIPv6 ? 8 : 4))) }
    }

    /// Waiting calls at most; each has a time-out of its own.
    private static let mostWaiting = 1024

    private struct Waiting {
        let continuation: CheckedContinuation<Bool, Never>
        let network: Network
    }

    private struct State {
        var free: Int
        /// Running and waiting calls of each network that has any.
        var running: [Network: Int] = [:]
        var queued: [Network: Int] = [:]
        var waiting: [UInt64: Waiting] = [:]
        /// Those that wait, first come first.
        var order: [UInt64] = []
        /// Cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
        var next: UInt64 = 0

        mutating func start(_ network: Network) {
            free -= 1
            running[network, default: 0] += 1
        }

        mutating func remove(_ number: UInt64) -> Waiting? {
            guard let waiting = waiting.removeValue(forKey: number) else { return nil }
            order.removeAll { $0 == number }
            queued[waiting.network, default: 0] -= 1
            if queued[waiting.network] == 0 { queued[waiting.network] = nil }
            return waiting
        }

        /// The longest waiting call of the network that has the fewest running, if that one may have more.
        func nextInTurn(each: Int) -> UInt64? {
            var found: (number: UInt64, count: Int)?
            for number in order {
                guard let network = waiting[number]?.network else { continue }
                let count = running[network] ?? 0
                if count < each, count < found?.count ?? .max { found = (number, count) }
            }
            return found?.number
        }
    }

    private enum Entry { case admitted, refused, waits }

    private let state: Mutex<State>
    private let each: Int
    private let mostWaitingOfOne: Int

    /// - Parameters:
    ///   - limit: Calls at once.
    ///   - each: Of one network at once; nil for as many as there are.
    init(limit: Int, each: Int? = nil) {
        let limit = max(1, limit)
        self.each = max(1, min(each ?? limit, limit))
        mostWaitingOfOne = each == nil ? Self.mostWaiting : Self.mostWaiting / 4
        state = Mutex(State(free: limit))
    }

    /// How many calls wait for their turn.
    var waitingCalls: Int { state.withLock { $0.waiting.count } }

    /// Returns when it is the caller's turn; then ``leave(_:)`` with the same network must follow.
    ///
    /// - Throws: `.unreachable` if too many wait, or the caller's task was cancelled.
    func enter(_ network: Network = .any) async throws(OutboundError) {
        let number = state.withLock { state -> UInt64 in
            state.next += 1
            return state.next
        }
        let isAdmitted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                switch state.withLock({ entry(&$0, number, network, continuation) }) {
                case .admitted: continuation.resume(returning: true)
                case .refused: continuation.resume(returning: false)
                case .waits: break
                }
            }
        } onCancel: {
            let waiting = state.withLock { state -> Waiting? in
                guard let waiting = state.remove(number) else {
                    // It has not begun to wait, or has its turn already.
                    state.cancelled.insert(number)
                    return nil
                }
                return waiting
            }
            waiting?.continuation.resume(returning: false)
        }
        state.withLock { _ = $0.cancelled.remove(number) }
        guard isAdmitted else {
            throw OutboundError(.unreachable, "too many calls to other servers wait already, or this one took too long")
        }
    }

    private func entry(
        _ state: inout State, _ number: UInt64, _ network: Network, _ continuation: CheckedContinuation<Bool, Never>
    ) -> Entry {
        if state.cancelled.remove(number) != nil { return .refused }
        // Whoever waits while a place is free waits for its own network.
        if state.free > 0, state.running[network] ?? 0 < each {
            state.start(network)
            return .admitted
        }
        guard state.waiting.count < Self.mostWaiting, state.queued[network] ?? 0 < mostWaitingOfOne else {
            return .refused
        }
        state.waiting[number] = Waiting(continuation: continuation, network: network)
        state.order.append(number)
        state.queued[network, default: 0] += 1
        return .waits
    }

    func leave(_ network: Network = .any) {
        let next = state.withLock { state -> Waiting? in
            state.free += 1
            state.running[network, default: 1] -= 1
            if state.running[network] == 0 { state.running[network] = nil }
            guard let number = state.nextInTurn(each: each), let next = state.remove(number) else { return nil }
            state.start(next.network)
            return next
        }
        next?.continuation.resume(returning: true)
    }
}
