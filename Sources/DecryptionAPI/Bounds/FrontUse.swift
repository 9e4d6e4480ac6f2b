import Decryption
import Synchronization

/// What callers of the front use at this moment.
///
/// - Concurrency: any thread.
final class FrontUse: Sendable {
    let limits: FrontLimits
    private let state = Mutex(State())

    private struct State {
        var streams = 0
        var watches = 0
        var bytes = 0
        /// Those who use anything; nobody else.
        var callers: [CallerBlock: Use] = [:]
    }

    private struct Use {
        var connections = 0
        var streams = 0
        var watches = 0
        var bytes = 0

        var isNothing: Bool { connections == 0 && streams == 0 && bytes == 0 }
    }

    init(_ limits: FrontLimits) { self.limits = limits }

    /// Bytes of questions that are being read or answered.
    var bytes: Int { state.withLock { $0.bytes } }
    /// Questions under way.
    var streams: Int { state.withLock { $0.streams } }

    /// - Returns: Whether he may have one more connection; it is counted all the same until ``disconnect(_:)``.
    func connect(_ caller: CallerBlock) -> Bool {
        state.withLock { state in
            state.callers[caller, default: Use()].connections += 1
            return state.callers[caller, default: Use()].connections <= limits.connectionsPerCaller
        }
    }

    func disconnect(_ caller: CallerBlock) { change(caller) { $1.connections -= 1 } }

    /// Begins a question.
    ///
    /// - Returns: Why not; nothing is counted then.
    func open(_ caller: CallerBlock, isWatch: Bool) -> FrontRefusal? {
        state.withLock { state in
            let use = state.callers[caller] ?? Use()
            if state.streams >= limits.streams { return .streams }
            if use.streams >= limits.streamsPerCaller { return .streamsOfCaller }
            if isWatch, state.watches >= limits.watches || use.watches >= limits.watchesPerCaller { return .watches }
            state.streams += 1
            state.callers[caller, default: Use()].streams += 1
            if isWatch {
                state.watches += 1
                state.callers[caller, default: Use()].watches += 1
            }
            return nil
        }
    }

    /// Ends a question, and gives back what ``take(_:_:)`` took for it.
    func close(_ caller: CallerBlock, isWatch: Bool, bytes: Int) {
        change(caller) { state, use in
            state.streams -= 1
            use.streams -= 1
            state.bytes -= bytes
            use.bytes -= bytes
            guard isWatch else { return }
            state.watches -= 1
            use.watches -= 1
        }
    }

    /// Takes room for what has arrived.
    ///
    /// - Returns: Why not; nothing is taken then.
    func take(_ count: Int, _ caller: CallerBlock) -> FrontRefusal? {
        state.withLock { state in
            if count > limits.bytes - state.bytes { return .bytes }
            let use = state.callers[caller] ?? Use()
            if count > limits.bytesPerCaller - use.bytes { return .bytesOfCaller }
            state.bytes += count
            state.callers[caller, default: Use()].bytes += count
            return nil
        }
    }

    private func change(_ caller: CallerBlock, _ body: (inout State, inout Use) -> Void) {
        state.withLock { state in
            var use = state.callers[caller] ?? Use()
            body(&state, &use)
            state.callers[caller] = use.isNothing ? nil : use
        }
    }
}
