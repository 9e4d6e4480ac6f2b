internal import Synchronization
import Workers

/// Makes chosen calls into a token module fail or wait, at the one door every call passes. For tests.
///
/// - Concurrency: any thread.
public final class FaultPlan: Sendable {
    /// Which calls of a function a rule applies to, counted from 1 since the rule was added.
    public enum Occurrence: Sendable {
        case every
        case nth(Int)
        case first(Int)
    }

    private struct Rule {
        var function: String
        var occurrence: Occurrence
        var value: ReturnValue?
        var delay: Duration?
        /// Alters an answer instead of a call.
        var bit: Int?
        var seen = 0

        var applies: Bool {
            switch occurrence {
            case .every: true
            case .nth(let number): seen == number
            case .first(let count): seen <= count
            }
        }
    }

    private struct State {
        var rules: [Rule] = []
        var calls: [String: Int] = [:]  // exact: names of calls, which tests write.
    }

    private let state = Mutex(State())

    public init() {}

    /// Lets calls of `function` (`C_Sign`; `*` for all) return `value` without reaching the module.
    public func fail(_ function: String, _ occurrence: Occurrence = .every, with value: ReturnValue) {
        state.withLock { $0.rules.append(Rule(function: function, occurrence: occurrence, value: value)) }
    }

    /// Lets calls of `function` wait before they reach the module.
    public func delay(_ function: String, _ occurrence: Occurrence = .every, by delay: Duration) {
        state.withLock { $0.rules.append(Rule(function: function, occurrence: occurrence, delay: delay)) }
    }

    /// Lets the answers of `function` arrive with one bit flipped, counted from the lowest bit of the first byte. Only
    /// what C_DeriveKey derives passes here.
    public func flip(bit: Int, of function: String, _ occurrence: Occurrence = .every) {
        state.withLock { $0.rules.append(Rule(function: function, occurrence: occurrence, bit: bit)) }
    }

    /// Forgets every rule; counts stay.
    public func clear() { state.withLock { $0.rules.removeAll() } }

    /// How often `function` was called, failed calls included.
    public func calls(of function: String) -> Int { state.withLock { $0.calls[function] ?? 0 } }

    /// What the door must return instead of calling; nil to call. Waits first where a rule says so.
    func fault(for function: StaticString) -> ReturnValue? {
        let name = "\(function)"
        let (value, delay) = state.withLock { state -> (ReturnValue?, Duration?) in
            state.calls[name, default: 0] += 1
            var value: ReturnValue?
            var delay: Duration?
            for index in state.rules.indices
            where ["*", name].contains(state.rules[index].function) && state.rules[index].bit == nil {
                state.rules[index].seen += 1
                guard state.rules[index].applies else { continue }
                value = value ?? state.rules[index].value
                delay = delay ?? state.rules[index].delay
            }
            return (value, delay)
        }
        if let delay { Pause.blocking(delay) }
        return value
    }

    /// An answer as the daemon is to see it.
    func altered(_ answer: [UInt8], of function: StaticString) -> [UInt8] {
        let name = "\(function)"
        let bits = state.withLock { state -> [Int] in
            var bits: [Int] = []
            for index in state.rules.indices where ["*", name].contains(state.rules[index].function) {
                guard let bit = state.rules[index].bit else { continue }
                state.rules[index].seen += 1
                if state.rules[index].applies { bits.append(bit) }
            }
            return bits
        }
        return bits.reduce(into: answer) { answer, bit in
            if bit / 8 < answer.count { answer[bit / 8] ^= 1 << UInt8(bit % 8) }
        }
    }
}
