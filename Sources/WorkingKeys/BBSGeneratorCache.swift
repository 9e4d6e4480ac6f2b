import Pairing
import Synchronization

/// The generators of BBS+ signatures used recently, by public key and number of messages.
///
/// They are public and cost a hash to the curve for each message, about 0.1 ms. The least recently used give way.
///
/// - Concurrency: any thread; a critical section is a dictionary access. Two first uses at once both compute.
public final class BBSGeneratorCache: Sendable {
    private struct Name: Hashable {
        let publicKey: [UInt8]
        let messageCount: Int
    }

    private struct State {
        var entries: [Name: (generators: BBSGenerators, used: UInt64)] = [:]
        var points = 0
        var clock: UInt64 = 0
    }

    private let maximumEntries: Int
    private let maximumPoints: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - maximumEntries: Each takes about 20 kB beside its points.
    ///   - maximumPoints: Of all entries together; a point takes 144 bytes.
    public init(maximumEntries: Int = 256, maximumPoints: Int = 65_536) {
        self.maximumEntries = maximumEntries
        self.maximumPoints = maximumPoints
    }

    /// How many sets of generators are held.
    public var count: Int { state.withLock { $0.entries.count } }

    /// - Parameter messageCount: Bounded by the caller, since each message costs time and memory.
    func generators(_ key: BBSKey, messageCount: Int) throws(PairingError) -> BBSGenerators {
        let name = Name(publicKey: key.publicKey, messageCount: messageCount)
        let found = state.withLock { state -> BBSGenerators? in
            state.clock += 1
            state.entries[name]?.used = state.clock
            return state.entries[name]?.generators
        }
        if let found { return found }
        let made = try BBSGenerators(publicKey: key.point, messageCount: messageCount)
        state.withLock { state in
            guard state.entries[name] == nil else { return }
            state.entries[name] = (made, state.clock)
            state.points += messageCount + 1
            trim(&state, keeping: name)
        }
        return made
    }

    private func trim(_ state: inout State, keeping name: Name) {
        while state.entries.count > maximumEntries || state.points > maximumPoints {
            let others = state.entries.filter { $0.key != name }
            guard let oldest = others.min(by: { $0.value.used < $1.value.used }) else { return }
            state.entries[oldest.key] = nil
            state.points -= oldest.key.messageCount + 1
        }
    }
}
