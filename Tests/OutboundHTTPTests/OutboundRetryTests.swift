import Synchronization
import Testing

@testable import OutboundHTTP

@Suite("Asking another server again", .timeLimit(.minutes(10)))
struct OutboundRetryTests {
    /// Answers by a script, the last entry over and over.
    private final class Script: OutboundSending {
        typealias Entry = Result<OutboundAnswer, OutboundError>
        private let state: Mutex<(entries: [Entry], count: Int)>

        init(_ entries: [Entry]) { state = Mutex((entries, 0)) }

        var count: Int { state.withLock { $0.count } }

        func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
            try state.withLock { state in
                defer { state.count += 1 }
                return state.entries[min(state.count, state.entries.count - 1)]
            }.get()
        }
    }

    private struct Silent: OutboundSending {
        func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
            try? await Task.sleep(for: .seconds(60))
            throw OutboundError(.unreachable, "woken")
        }
    }

    private static func answer(_ status: Int, _ headers: [(name: String, value: String)] = []) -> Script.Entry {
        .success(OutboundAnswer(status: status, headers: headers))
    }

    private func send(_ script: Script, within limit: Duration = .seconds(600)) async throws -> Int {
        try await OutboundRetry(script, until: .now + limit)
            .send { OutboundRequest(method: "GET", url: "https://a.example/") }.status
    }

    @Test func whatPassesIsAskedForAgainThreeTimesAtMost() async throws {
        for status in [408, 429, 500, 502, 503, 504] {
            let script = Script([Self.answer(status), Self.answer(status), Self.answer(200)])
            #expect(try await send(script) == 200)
            #expect(script.count == 3)
        }
        let broken = Script([.failure(OutboundError(.unreachable, "reset")), Self.answer(200)])
        #expect(try await send(broken) == 200)
        let always = Script([Self.answer(503)])
        #expect(try await send(always) == 503)
        #expect(always.count == 3)
        let away = Script([.failure(OutboundError(.unreachable, "refused"))])
        await #expect(throws: OutboundError.self) { _ = try await self.send(away) }
        #expect(away.count == 3)
    }

    @Test func whatLastsIsAskedForOnce() async throws {
        for status in [200, 301, 400, 401, 403, 404, 409, 501] {
            let script = Script([Self.answer(status)])
            #expect(try await send(script) == status)
            #expect(script.count == 1)
        }
        for code in [OutboundError.Code.addressRefused, .noAddress, .certificateRefused, .answerRefused] {
            let script = Script([.failure(OutboundError(code, "no"))])
            await #expect(throws: OutboundError.self) { _ = try await self.send(script) }
            #expect(script.count == 1)
        }
    }

    @Test func nobodyWaitsBeyondTheDeadlineNotForAPauseThatTheServerAsksForNorForAnAnswer() async throws {
        let start = ContinuousClock.now
        let patient = Script([Self.answer(429, [(name: "Retry-After", value: "3000")]), Self.answer(200)])
        #expect(try await send(patient) == 429)
        #expect(patient.count == 1)
        await #expect(throws: OutboundError.self) {
            _ = try await OutboundRetry(Silent(), until: .now + .milliseconds(800))
                .send { OutboundRequest(method: "GET", url: "https://a.example/") }
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }
}
