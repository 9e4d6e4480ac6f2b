import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct BisectionTests {
    /// Heights asked for until the target, from a chain that answers truly.
    func walk(
        _ chain: TestChain, from: Int, to target: Int, sequential: Bool = false, level: TrustLevel = .oneThird,
        limit: Int = 1_000
    ) throws -> (heights: [Int64], sets: [Int64]) {
        var (heights, sets): ([Int64], [Int64]) = ([], [])
        var machine = try Bisection(
            from: chain.trusted(from), to: Int64(target), TestChain.rules(level: level), isSequential: sequential,
            maximumHeaders: limit)
        while machine.request != .done {
            switch machine.request {
            case .done: break
            case .block(let height):
                heights.append(height)
                try machine.take(chain[Int(height)], validators: chain.set(Int(height)), now: chain.now)
            case .validators(let height):
                sets.append(height)
                try machine.take(validators: chain.set(Int(height)), now: chain.now)
            }
        }
        #expect(try machine.trusted == chain.trusted(target))
        #expect(machine.headerCount == heights.count)
        return (heights, sets)
    }

    @Test func unchangedValidatorsAreSkippedToAtOnce() throws {
        let walked = try walk(TestChain(200), from: 1, to: 200)
        #expect(walked.heights == [200] && walked.sets == [])
    }

    @Test func sequentiallyEveryHeaderIsLookedAt() throws {
        #expect(try walk(TestChain(20), from: 3, to: 20, sequential: true).heights == (4...20).map { $0 })
    }

    /// One validator of four changes at every height.
    @Test func changedValidatorsAreReachedByHeadersBetween() throws {
        let chain = try TestChain(60) { height in (height..<height + 4).map { ($0, 10) } }
        for target in 1...60 {
            let walked = try walk(chain, from: 1, to: target)
            #expect(target < 4 || walked.heights.first == Int64(target))
            #expect(walked.heights.count <= 2 * target)
        }
        #expect(try walk(chain, from: 1, to: 60).sets.count > 10)
        // All of them new every time: only step by step.
        let other = try TestChain(12) { height in (0..<4).map { (4 * height + $0, 10) } }
        _ = try walk(other, from: 1, to: 12)
        #expect(code { _ = try walk(chain, from: 1, to: 60, limit: 5) } == .height)
        #expect(code { _ = try walk(chain, from: 5, to: 4) } == .height)
        #expect(try walk(chain, from: 5, to: 5).heights == [])
    }

    /// More heights wait than blocks are kept for: the dropped ones are asked for again.
    @Test func aLongWayKeepsFewBlocks() throws {
        let chain = try TestChain(198) { height in (height...height).map { ($0, 10) } }
        let walked = try walk(chain, from: 1, to: 198)
        #expect(Set(walked.heights) == Set(2...198))
        #expect(walked.heights.filter { $0 == 198 }.count == 2)
    }

    @Test func whatWasNotAskedForIsRefused() throws {
        let chain = try TestChain(6) { height in height < 6 ? [(0, 10), (1, 10)] : [(2, 10), (3, 10)] }
        var machine = try Bisection(
            from: chain.trusted(1), to: 5, TestChain.rules(), maximumHeaders: 10)
        #expect(machine.request == .block(5))
        var copy = machine
        #expect(code { try copy.take(chain[4], validators: chain.set(4), now: chain.now) } == .invalid)
        copy = machine
        #expect(code { try copy.take(validators: chain.set(5), now: chain.now) } == .invalid)
        copy = machine
        #expect(code { try copy.take(chain[5], validators: chain.set(6), now: chain.now) } == .invalid)
        try machine.take(chain[5], validators: chain.set(5), now: chain.now)
        #expect(machine.request == .validators(6))
        copy = machine
        #expect(code { try copy.take(chain[5], validators: chain.set(5), now: chain.now) } == .invalid)
        copy = machine
        #expect(code { try copy.take(validators: chain.set(5), now: chain.now) } == .invalid)
        try machine.take(validators: chain.set(6), now: chain.now)
        #expect(machine.request == .done)
        #expect(code { try machine.take(chain[6], validators: chain.set(6), now: chain.now) } == .invalid)
        #expect(code { try machine.take(validators: chain.set(6), now: chain.now) } == .invalid)
    }

    /// Old validators that are gone may sign what they like afterwards.
    @Test func aChainOfValidatorsWhoLeftIsRefused() throws {
        let real = try TestChain(10) { height in height < 4 ? [(0, 10), (1, 10)] : [(2, 10), (3, 10)] }
        let forged = try TestChain(10, members: { _ in [(0, 10), (1, 10)] }, salt: { _ in 1 })
        var machine = try Bisection(from: real.trusted(4), to: 10, TestChain.rules(), maximumHeaders: 100)
        var thrown: LightClientError.Code?
        while machine.request != .done, thrown == nil {
            guard case .block(let height) = machine.request else { break }
            thrown = code {
                try machine.take(forged[Int(height)], validators: forged.set(Int(height)), now: real.now)
            }
        }
        #expect(thrown == .invalid)
        #expect(try machine.trusted == real.trusted(4))
    }

    @Test func whatIsTrustedMayExpireOnTheWay() throws {
        let chain = try TestChain(40) { height in (height..<height + 4).map { ($0, 10) } }
        var machine = try Bisection(
            from: chain.trusted(1), to: 40, TestChain.rules(period: 100), maximumHeaders: 100)
        var now = TestChain.time(41)
        var thrown: LightClientError.Code?
        while machine.request != .done, thrown == nil {
            now = now.advanced(bySeconds: 30)
            switch machine.request {
            case .done: break
            case .block(let height):
                thrown = code {
                    try machine.take(chain[Int(height)], validators: chain.set(Int(height)), now: now)
                }
            case .validators(let height):
                thrown = code { try machine.take(validators: chain.set(Int(height)), now: now) }
            }
        }
        #expect(thrown == .expired)
    }
}
