import ChainNodes
import Synchronization
import Testing

@testable import LightClient

/// Two headers of one height: what is kept of it, and what an operator can say.
@Suite(.timeLimit(.minutes(10))) struct ConflictTests {
    private func conflict(_ chain: TestChain, _ fork: TestChain, _ height: Int) throws -> ChainConflict {
        try ChainConflict(
            height: Int64(height), followed: chain[height].header.hash(), other: fork[height].header.hash(),
            isProven: true, source: "http://witness:26657")
    }

    private func chains() throws -> (chain: TestChain, fork: TestChain) {
        (try TestChain(8), try TestChain(8, salt: { $0 < 5 ? 0 : 1 }))
    }

    @Test func whatIsKeptComesBackFromItsBytes() throws {
        let (chain, fork) = try chains()
        let (trusted, conflict) = (try chain.trusted(4), try conflict(chain, fork, 8))
        let ruling = try ChainRuling(height: 8, hash: conflict.other)
        for state in [
            KeptState(trusted: trusted), KeptState(trusted: trusted, conflict: conflict),
            KeptState(trusted: trusted, ruling: ruling), KeptState(trusted: nil, conflict: conflict, ruling: ruling),
        ] { #expect(try KeptState(decoding: state.encoded()) == state) }
        #expect(try KeptState(trusted: trusted).encoded() == trusted.encoded(), "as it always was")
        let bytes = try KeptState(trusted: trusted, conflict: conflict, ruling: ruling).encoded()
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= 1
            #expect(code { _ = try KeptState(decoding: changed) } == .malformed)
            #expect(code { _ = try KeptState(decoding: Array(bytes[..<position])) } == .malformed)
        }
        #expect(code { _ = try KeptState(decoding: bytes + [0]) } == .malformed)
    }

    @Test func onlyOneOfTheTwoHeadersCanBeKept() throws {
        let (chain, fork) = try chains()
        let conflict = try conflict(chain, fork, 6)
        func kept(_ height: Int) throws -> KeptState {
            KeptState(trusted: try chain.trusted(height), conflict: conflict)
        }
        #expect(code { _ = try kept(4).resolved(keeping: [UInt8](repeating: 1, count: 32)) } == .settings)
        #expect(code { _ = try KeptState(trusted: chain.trusted(4)).resolved(keeping: conflict.other) } == .settings)
        #expect(try kept(4).resolved(keeping: conflict.other).ruling?.hash == conflict.other)
        // What is trusted beyond it came from the operators; at the same height it must be the one.
        #expect(try kept(7).resolved(keeping: conflict.other) == KeptState(trusted: chain.trusted(7)))
        #expect(try kept(6).resolved(keeping: conflict.followed) == KeptState(trusted: chain.trusted(6)))
        #expect(code { _ = try kept(6).resolved(keeping: conflict.other) } == .settings)
        #expect(try conflict.givenUp(keeping: conflict.other) == conflict.followed)
    }

    @Test func theHeaderThatWasGivenUpIsNotFollowedByAnyWay() async throws {
        let (chain, fork) = try chains()
        let (primary, witness) = (TestSource("primary", chain), TestSource("witness", fork))
        let client = try LightClient(
            LightClientSettings(
                rules: TestChain.rules().rules, timeout: .seconds(300), patience: .seconds(600)),
            trusted: chain.trusted(3), primary: primary, witnesses: [witness], now: { chain.now })
        #expect(await asyncCode { try await client.advance(to: 6) } == .fork)
        let conflict = try #require(await client.conflict)
        #expect(
            try conflict
                == ChainConflict(
                    height: 6, followed: chain[6].header.hash(), other: fork[6].header.hash(), isProven: true,
                    source: "witness"))
        try await client.resolve(keeping: conflict.other)
        // Both agree now, and skipping would not see height 6.
        witness.show(chain)
        #expect(await asyncCode { try await client.advance() } == .invalid)
        #expect(await client.trusted.height == 3)
        for source in [primary, witness] { source.show(fork) }
        #expect(try await client.advance().hash == fork[8].header.hash())
        #expect(await client.ruling == nil)
    }

    /// What a follower wrote down.
    private final class Memory: Sendable {
        private let state = Mutex<(bytes: [UInt8]?, fails: Bool)>((nil, false))

        var bytes: [UInt8]? { state.withLock { $0.bytes } }
        func fail(_ fails: Bool) { state.withLock { $0.fails = fails } }
        var keeping: ChainFollower.Keeping {
            ChainFollower.Keeping {
                self.bytes
            } store: { bytes in
                try self.state.withLock { state in
                    if state.fails { throw TestSource.Failure() }
                    state.bytes = bytes
                }
            }
        }
    }

    @Test func aConflictOutlivesTheProcessUntilAnOperatorDecides() async throws {
        let (chain, fork) = try chains()
        let (primary, witness) = (TestSource("primary", chain), TestSource("witness", fork))
        let memory = Memory()
        func follower(_ root: Int = 2) throws -> ChainFollower {
            try ChainFollower(
                LightClientSettings(rules: TestChain.rules().rules, timeout: .seconds(300), patience: .seconds(600)),
                root: .init(height: Int64(root), hash: chain.trusted(root).hash), primary: primary,
                witnesses: [witness],
                keeping: memory.keeping, poll: .milliseconds(5), now: { chain.now })
        }
        /// Runs one until it says so.
        func running<R: Sendable>(
            _ follower: ChainFollower, until isDone: @escaping @Sendable (ChainFollower) async -> R?
        ) async throws -> R? {
            let task = Task { await follower.run { _ in } }
            defer { task.cancel() }
            for _ in 0..<60_000 {
                if let found = await isDone(follower) { return found }
                try await Task.sleep(for: .milliseconds(5))
            }
            return nil
        }
        let found = try #require(
            try await running(try follower()) { await $0.conflict })
        #expect(found.isProven && found.height == 8)
        for _ in 0..<60_000 where memory.bytes == nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try KeptState(decoding: #require(memory.bytes)).conflict == found)
        // Nobody lies any more, nodes or operators' later word: it stands.
        witness.show(chain)
        for root in [2, 8] {
            let again = try follower(root)
            let code = try await running(again) { follower -> LightClientError.Code? in
                guard case .failure(let error) = await follower.latest(), error.code != .unavailable else { return nil }
                return error.code
            }
            #expect(code == .fork)
        }
        let third = try follower()
        #expect(try await running(third) { await $0.conflict } == found)
        memory.fail(true)
        #expect(await asyncCode { _ = try await third.resolve(keeping: found.followed) } == .unavailable)
        #expect(await third.conflict == found, "what is not written down is not decided")
        memory.fail(false)
        #expect(await asyncCode { _ = try await third.resolve(keeping: [UInt8](repeating: 0, count: 32)) } == .settings)
        #expect(try await third.resolve(keeping: found.followed) == found)
        #expect(await asyncCode { _ = try await third.resolve(keeping: found.followed) } == .settings)
        let reached = try await running(third) { follower in
            (try? await follower.latest().get()).flatMap { $0.height == 8 ? $0.hash : nil }
        }
        #expect(try reached == chain[8].header.hash())
        #expect(try KeptState(decoding: #require(memory.bytes)).conflict == nil)
    }
}
