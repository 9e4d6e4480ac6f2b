import Synchronization
import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct ClientTests {
    func client(
        _ chain: TestChain, from: Int = 1, primary: TestSource, witnesses: [TestSource], minimum: Int = 1,
        age: Int64 = 100, timeout: Duration = .seconds(300), patience: Duration = .seconds(600), now: ChainTime? = nil,
        period: Int64 = 3_600
    ) throws -> LightClient {
        let time = now ?? chain.now
        return try LightClient(
            LightClientSettings(
                rules: TestChain.rules(period: period).rules, timeout: timeout, patience: patience,
                minimumWitnesses: minimum, maximumAge: age),
            trusted: chain.trusted(from), primary: primary, witnesses: witnesses, now: { time })
    }

    @Test func theLatestHeaderThatWitnessesHaveIsReached() async throws {
        let (chain, short) = (try TestChain(20), try TestChain(12))
        let primary = TestSource("primary", chain)
        let client = try client(
            chain, primary: primary, witnesses: [TestSource("behind", short), TestSource("ahead", chain)], minimum: 2)
        #expect(try await client.advance().height == 12)
        #expect(await client.reports.map(\.verdict) == [.agrees, .agrees])
        #expect(try await client.advance().height == 12, "nothing new, nothing lost")
        #expect(try await client.advance(to: 5).height == 12, "never backwards")
        #expect(await asyncCode { try await client.advance(to: 20) } == .unavailable, "one of two witnesses is behind")
        #expect(await client.trusted.height == 12)
    }

    /// No clock runs for what is known: each would stay in memory for its whole time.
    @Test func aHeaderThatIsKnownIsGivenWithoutAClock() async throws {
        let chain = try TestChain(3)
        let source = TestSource("primary", chain)
        let client = try client(
            chain, from: 3, primary: source, witnesses: [source], timeout: .nanoseconds(1), patience: .nanoseconds(1))
        for _ in 0..<1_000 { #expect(try await client.header(at: 3).height == 3) }
    }

    @Test func aSilentWitnessIsNoWitness() async throws {
        let chain = try TestChain(5)
        let failing = TestSource("failing", chain, .failing)
        let honest = TestSource("honest", chain)
        let one = try client(chain, primary: honest, witnesses: [failing])
        #expect(await asyncCode { try await one.advance() } == .unavailable)
        #expect(await asyncCode { try await one.advance(to: 5) } == .unavailable)
        #expect(await one.trusted.height == 1)
        #expect(await one.conflict == nil)
        let two = try client(chain, primary: honest, witnesses: [failing, honest])
        #expect(try await two.advance().height == 5)
        let reports = await two.reports
        #expect(reports.map(\.name) == ["failing", "honest"])
        guard case .silent = reports[0].verdict else { return #expect(Bool(false), "\(reports)") }
    }

    @Test func aWitnessWithAnotherHeaderStopsEverythingUntilAnOperatorDecides() async throws {
        let chain = try TestChain(8)
        let witness = TestSource("witness", chain)
        let client = try client(
            chain, primary: TestSource("primary", chain), witnesses: [witness, TestSource("another", chain)])
        #expect(try await client.advance(to: 4).height == 4)
        witness.behave(
            .lying { block in
                var header = block.header
                header.appHash[0] ^= 1
                return SignedHeader(header: header, commit: block.commit)
            })
        #expect(await asyncCode { try await client.advance(to: 8) } == .conflict)
        #expect(await client.conflict?.error.code == .conflict)
        #expect(await client.trusted.height == 4)
        witness.behave(.honest)
        #expect(await asyncCode { try await client.advance() } == .conflict)
        #expect(await asyncCode { _ = try await client.header(at: 3) } == .conflict)
        #expect(await asyncCode { _ = try await client.latest() } == .conflict)
        try await client.resolve(keeping: chain[8].header.hash())
        #expect(try await client.header(at: 3).height == 3)
        #expect(try await client.advance().height == 8)
    }

    /// Two chains with the same validators' signatures from height 5 on.
    @Test func aForkIsToldFromALie() async throws {
        let (chain, fork) = (try TestChain(8), try TestChain(8, salt: { $0 < 5 ? 0 : 1 }))
        let client = try client(
            chain, from: 2, primary: TestSource("primary", chain), witnesses: [TestSource("fork", fork)])
        #expect(try await client.advance(to: 4).height == 4)
        #expect(await asyncCode { try await client.advance(to: 8) } == .fork)
        #expect(await client.conflict?.error.code == .fork)
        guard case .differs(let hash, isProven: true) = await client.reports[0].verdict else {
            return #expect(Bool(false), "the fork is not in the report")
        }
        #expect(try hash == fork[8].header.hash())
    }

    @Test func olderHeadersAreServedByTheirHashes() async throws {
        let chain = try TestChain(30) { height in (height / 8..<height / 8 + 4).map { ($0 % 12, 10) } }
        let primary = TestSource("primary", chain)
        let client = try client(
            chain, from: 3, primary: primary, witnesses: [TestSource("witness", chain)], age: 10)
        try await client.advance()
        let before = primary.heights.count
        #expect(try await client.header(at: 30).appHash == chain[30].header.appHash)
        #expect(primary.heights.count == before)
        #expect(try await client.header(at: 20).appHash == chain[20].header.appHash)
        #expect(primary.heights.count == before + 10)
        for height in Int64(20)...30 { #expect(try await client.header(at: height).height == height) }
        #expect(primary.heights.count == before + 10, "once is enough")
        #expect(await asyncCode { _ = try await client.header(at: 19) } == .height)
        #expect(await asyncCode { _ = try await client.header(at: 31) } == .height)
        #expect(await asyncCode { _ = try await client.header(at: -1) } == .height)
        #expect(await asyncCode { _ = try await client.header(at: .min) } == .height)
    }

    @Test func aLiarServesNoOlderHeader() async throws {
        let (chain, other) = (try TestChain(9), try TestChain(9, salt: { _ in 7 }))
        let primary = TestSource("primary", chain)
        let client = try client(chain, primary: primary, witnesses: [TestSource("witness", chain)])
        try await client.advance()
        primary.show(other)
        #expect(await asyncCode { _ = try await client.header(at: 7) } == .invalid)
        primary.show(chain)
        #expect(try await client.header(at: 7).appHash == chain[7].header.appHash)
    }

    @Test func aLyingPrimaryMovesNothing() async throws {
        let (chain, other) = (try TestChain(9), try TestChain(9, salt: { _ in 7 }))
        let unsigned = try TestChain(9, salt: { _ in 7 }, signs: { _, key in key < 2 })
        let primary = TestSource("primary", chain)
        let client = try client(chain, from: 2, primary: primary, witnesses: [TestSource("witness", chain)])
        primary.behave(.lying { _ in chain[3] })
        #expect(await asyncCode { try await client.advance() } == .invalid, "another height")
        primary.behave(.lying { SignedHeader(header: $0.header, commit: other[Int($0.header.height)].commit) })
        #expect(await asyncCode { try await client.advance() } == .invalid, "another header's commit")
        let foreign = chain.set(1).validators.dropLast()
        primary.behave(.replacing { _, set in (try? ValidatorSet(Array(foreign))) ?? set })
        #expect(await asyncCode { try await client.advance() } == .invalid, "other validators")
        primary.behave(.boasting(.max))
        #expect(try await client.advance().height == 9, "the witness has no more")
        primary.behave(.boasting(0))
        #expect(await asyncCode { try await client.advance() } == .invalid)
        primary.behave(.honest)
        primary.show(unsigned)
        let fresh = try self.client(chain, from: 2, primary: primary, witnesses: [TestSource("witness", chain)])
        #expect(await asyncCode { try await fresh.advance() } == .invalid, "half of the power")
        #expect(await fresh.trusted.height == 2)
        #expect(await fresh.conflict == nil)
    }

    /// Each answer is in time, but there is no end of them.
    @Test func aSourceThatDripsIsNotWaitedForLongerThanPatienceLasts() async throws {
        let chain = try TestChain(100)
        let slow = TestSource("slow", chain, .dripping(.milliseconds(20)))
        let settings = try LightClientSettings(
            rules: TestChain.rules().rules, isSequential: true, timeout: .milliseconds(400),
            patience: .milliseconds(400))
        let client = try LightClient(
            settings, trusted: chain.trusted(1), primary: slow, witnesses: [slow], now: { chain.now })
        #expect(await asyncCode { try await client.advance(to: 100) } == .unavailable)
        #expect(slow.heights.count < 99)
        #expect(await client.trusted.height == 1)
        #expect(code { _ = try LightClientSettings(rules: settings.rules, patience: .seconds(1)) } == .settings)
    }

    @Test func aStallingSourceIsNotWaitedFor() async throws {
        let chain = try TestChain(6)
        let gate = Gate()
        defer { gate.open() }
        let (honest, stalling) = (TestSource("honest", chain), TestSource("stalling", chain, .stalling(gate)))
        let slow = try client(chain, primary: stalling, witnesses: [honest], timeout: .milliseconds(50))
        #expect(await asyncCode { try await slow.advance() } == .unavailable)
        #expect(await asyncCode { try await slow.advance(to: 6) } == .unavailable)
        let beside = try client(chain, primary: honest, witnesses: [stalling, honest], timeout: .seconds(1))
        // On a busy machine an honest source may be late as well.
        for _ in 0..<30 where await beside.trusted.height < 6 { _ = try? await beside.advance(to: 6) }
        #expect(await beside.trusted.height == 6)
        #expect(await beside.reports.map(\.name) == ["stalling", "honest"])
        let cancelled = try client(chain, primary: stalling, witnesses: [honest])
        let before = stalling.heights.count
        let task = Task { await asyncCode { try await cancelled.advance(to: 6) } }
        for _ in 0..<60_000 where stalling.heights.count == before { try await Task.sleep(for: .milliseconds(1)) }
        #expect(stalling.heights.count > before)
        task.cancel()
        #expect(await task.value == .unavailable)
    }

    @Test func anExpiredOrFutureStateServesNothing() async throws {
        let chain = try TestChain(6)
        let source = TestSource("source", chain)
        for (now, expected) in [
            (TestChain.time(6).advanced(bySeconds: 3_600), LightClientError.Code.expired),
            (TestChain.time(6).advanced(bySeconds: -11), .clock),
        ] {
            let client = try client(chain, from: 6, primary: source, witnesses: [source], now: now)
            #expect(await asyncCode { _ = try await client.latest() } == expected)
            #expect(await asyncCode { _ = try await client.header(at: 5) } == expected)
            #expect(await asyncCode { try await client.advance() } == expected)
        }
    }

    @Test func callsThatOverlapEndAtTheFurthestHeader() async throws {
        let chain = try TestChain(40) { height in (height / 4..<height / 4 + 4).map { ($0 % 12, 10) } }
        let source = TestSource("source", chain)
        let client = try client(chain, primary: source, witnesses: [source])
        await withTaskGroup(of: LightClientError.Code?.self) { group in
            for target in Int64(2)...40 {
                group.addTask { await asyncCode { try await client.advance(to: target) } }
                group.addTask { await asyncCode { _ = try await client.header(at: 1) } }
            }
            for await failure in group { #expect(failure == nil) }
        }
        #expect(await client.trusted.height == 40)
    }

    @Test func aClientWithoutEnoughWitnessesOrOfAnotherChainIsNotMade() throws {
        let chain = try TestChain(2)
        let source = TestSource("source", chain)
        #expect(code { _ = try client(chain, primary: source, witnesses: []) } == .settings)
        #expect(code { _ = try client(chain, primary: source, witnesses: [source], minimum: 2) } == .settings)
        #expect(code { _ = try client(chain, primary: source, witnesses: [source], minimum: 0) } == .settings)
        #expect(code { _ = try client(chain, primary: source, witnesses: [source], timeout: .zero) } == .settings)
        #expect(code { _ = try client(chain, primary: source, witnesses: [source], age: -1) } == .settings)
        let rules = try TrustRules(chainID: "another")
        #expect(
            code {
                _ = try LightClient(
                    LightClientSettings(rules: rules), trusted: chain.trusted(1), primary: source, witnesses: [source],
                    now: { chain.now })
            } == .settings)
        #expect(code { _ = try LightClientSettings(rules: rules, maximumHeaders: 0) } == .settings)
    }
}
