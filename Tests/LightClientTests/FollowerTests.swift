import ChainNodes
import Testing

@testable import LightClient

/// A follower of the chain's head, and requests that name heights it has not reached.
@Suite(.timeLimit(.minutes(10))) struct FollowerTests {
    @Test func aBlockMadeWhileAStepIsUnderWayIsReachedByTheRequestThatNamesIt() async throws {
        let (short, long) = (try TestChain(5), try TestChain(8))
        let primary = TestSource("primary", short)
        let time = long.now
        let follower = try ChainFollower(
            LightClientSettings(
                rules: try TestChain.rules().rules, timeout: .seconds(300), patience: .seconds(600),
                minimumWitnesses: 1,
                maximumAge: 100),
            root: .init(height: 1, hash: try short.trusted(1).hash), primary: primary,
            witnesses: [TestSource("witness", long)], keeping: .init(load: { nil }, store: { _ in }),
            poll: .milliseconds(10), now: { time })
        let running = Task { await follower.run { _ in } }
        defer { running.cancel() }
        for _ in 0..<1_000 where (try? await follower.latest().get())?.height != 5 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try await follower.latest().get().height == 5)
        let gate = Gate()
        primary.behave(.stalling(gate))
        for _ in 0..<1_000 where gate.held == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(gate.held == 1, "a step has asked for the head, and waits")
        primary.show(long)
        primary.behave(.honest)
        let asked = Task { try await follower.header(at: 8).header.height }
        // Whether the request finds the step or comes after it, it must end well; so this pause decides nothing.
        try await Task.sleep(for: .milliseconds(50))
        gate.open()
        #expect(try await asked.value == 8)
    }
}
