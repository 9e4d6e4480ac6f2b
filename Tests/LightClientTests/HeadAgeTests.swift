import ChainNodes
import Synchronization
import Testing

@testable import LightClient

/// Heads that are too old, and chains that go back: what was permitted then may have been taken back since.
@Suite(.timeLimit(.minutes(5))) struct HeadAgeTests {
    private let (short, long): (TestChain, TestChain)
    private let rules: TrustRules
    /// Only a request asks for more than the first head.
    private static let never = Duration.seconds(3_600)

    init() throws {
        (short, long) = (try TestChain(5), try TestChain(40))
        rules = try TrustRules(chainID: TestChain.id, trustingPeriod: 3_600, headAge: 30)
    }

    /// Waits for the first head.
    private func begin(_ latest: @Sendable () async -> Result<VerifiedHeader, LightClientError>) async throws {
        for _ in 0..<1_000 {
            if case .success = await latest() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("A head beyond its age serves nobody, and the request that names the next block heals it")
    func aHeadBeyondItsAgeServesNobodyAndTheRequestThatNamesTheNextBlockHealsIt() async throws {
        let clock = TestClock(10)
        let (primary, witness) = (TestSource("primary", short), TestSource("witness", short))
        let follower = try ChainFollower(
            LightClientSettings(rules: rules), root: .init(height: 1, hash: short.trusted(1).hash), primary: primary,
            witnesses: [witness], keeping: .init(load: { nil }, store: { _ in }), poll: Self.never,
            now: { clock.now })
        let running = Task { await follower.run { _ in } }
        defer { running.cancel() }
        try await begin { await follower.latest() }
        #expect(try await follower.header(at: 5).header.height == 5)
        // One second before its age is over, and then.
        clock.set(34)
        #expect(try await follower.header(at: 4).latest == 5)
        clock.set(35)
        #expect(await asyncCode { _ = try await follower.latest().get() } == .stale)
        for height: Int64 in [4, 5, 6] {
            #expect(await asyncCode { _ = try await follower.header(at: height) } == .stale)
        }
        // A primary source that goes on alone is no head.
        primary.show(long)
        #expect(await asyncCode { _ = try await follower.header(at: 40) } == .stale)
        witness.show(long)
        #expect(try await follower.header(at: 40).header.height == 40)
        #expect(try await follower.latest().get().height == 40)
    }

    @Test("A light proxy's head ages too, and its chain does not go back")
    func aLightProxysHeadAgesTooAndItsChainDoesNotGoBack() async throws {
        let clock = TestClock(10)
        let proxy = TestSource("proxy", short)
        let headers = ProxiedHeaders(
            proxy: proxy, rules: rules, maximumAge: 100, poll: Self.never, now: { clock.now })
        let running = Task { await headers.run { _ in } }
        defer { running.cancel() }
        try await begin { await headers.latest() }
        #expect(try await headers.header(at: 5).header.height == 5)
        clock.set(35)
        #expect(await asyncCode { _ = try await headers.latest().get() } == .stale)
        #expect(await asyncCode { _ = try await headers.header(at: 5) } == .stale)
        proxy.show(long)
        #expect(try await headers.header(at: 40).latest == 40)
        #expect(try await headers.header(at: 5).header.height == 5)
        // Its head was 40: whatever it says now, the head stays there.
        proxy.show(short)
        #expect(await asyncCode { _ = try await headers.header(at: 41) } == .invalid)
        #expect(try await headers.header(at: 40).latest == 40)
        #expect(try await headers.latest().get().height == 40)
    }

    @Test("Without a bound a head is served as long as it is trusted")
    func withoutABoundAHeadIsServedAsLongAsItIsTrusted() throws {
        let free = HeaderRules(try TrustRules(chainID: TestChain.id, trustingPeriod: 3_600))
        let head = short[5].header
        try free.checkHead(head, now: TestClock(3_600).now)
        #expect(code { try free.checkHead(head, now: TestClock(3_606).now) } == .expired)
        #expect(code { try HeaderRules(rules).checkHead(head, now: TestClock(36).now) } == .stale)
    }
}

/// Seconds after the chain's start.
private final class TestClock: Sendable {
    private let seconds: Mutex<Int>

    init(_ seconds: Int) { self.seconds = Mutex(seconds) }

    func set(_ seconds: Int) { self.seconds.withLock { $0 = seconds } }
    var now: ChainTime { seconds.withLock { TestChain.time($0) } }
}
