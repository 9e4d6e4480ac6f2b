import Synchronization

@testable import LightClient

/// A node that may fail, lie or never answer.
final class TestSource: HeaderSource {
    enum Behaviour: Sendable {
        case honest
        case failing
        /// Waits for a gate, whatever becomes of its task.
        case stalling(Gate)
        /// Takes its time with every answer.
        case dripping(Duration)
        /// Says another latest height.
        case boasting(Int64)
        /// Hands out something else than the chain's block.
        case lying(@Sendable (SignedHeader) -> SignedHeader)
        /// Hands out other validators.
        case replacing(@Sendable (Int64, ValidatorSet) -> ValidatorSet)
    }

    struct Failure: Error {}

    let name: String
    private let state: Mutex<(chain: TestChain, behaviour: Behaviour)>
    private let asked = Mutex<[Int64]>([])

    init(_ name: String, _ chain: TestChain, _ behaviour: Behaviour = .honest) {
        self.name = name
        state = Mutex((chain, behaviour))
    }

    /// Heights whose headers were asked for.
    var heights: [Int64] { asked.withLock { $0 } }

    func show(_ chain: TestChain) { state.withLock { $0.chain = chain } }
    func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }

    private func enter() async throws -> (chain: TestChain, behaviour: Behaviour) {
        let now = state.withLock { $0 }
        switch now.behaviour {
        case .failing: throw Failure()
        case .stalling(let gate): await gate.pass()
        case .dripping(let pause): try await Task.sleep(for: pause)
        default: break
        }
        return now
    }

    func latestHeight() async throws -> Int64 {
        let (chain, behaviour) = try await enter()
        if case .boasting(let height) = behaviour { return height }
        return Int64(chain.blocks.count)
    }

    func signedHeader(at height: Int64) async throws -> SignedHeader {
        asked.withLock { $0.append(height) }
        let (chain, behaviour) = try await enter()
        guard 1...Int64(chain.blocks.count) ~= height else { throw Failure() }
        let block = chain[Int(height)]
        if case .lying(let lie) = behaviour { return lie(block) }
        return block
    }

    func validators(at height: Int64) async throws -> ValidatorSet {
        let (chain, behaviour) = try await enter()
        guard 1...Int64(chain.sets.count) ~= height else { throw Failure() }
        let set = chain.set(Int(height))
        if case .replacing(let replace) = behaviour { return replace(height, set) }
        return set
    }
}

/// Holds whoever comes until it is opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    /// How many wait now.
    var held: Int { state.withLock { $0.waiting.count } }

    func pass() async {
        await withCheckedContinuation { waiter in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(waiter) }
                return state.isOpen
            }
            if isOpen { waiter.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }
}
