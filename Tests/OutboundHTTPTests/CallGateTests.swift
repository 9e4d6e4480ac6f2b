import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

/// Who names slow servers holds a part of the places, of those that run and of those that wait.
@Suite("Turns of calls to other servers", .timeLimit(.minutes(10))) struct CallGateTests {
    private final class Order: Sendable { let names = Mutex<[String]>([]) }

    private func network(_ address: String) throws -> CallGate.Network {
        CallGate.Network(try #require(NetworkAddress(address)))
    }

    @Test("A server that answers slowly leaves places for the others") func oneNetworkHoldsAPart() async throws {
        let gate = CallGate(limit: 8, each: 2)
        let (slow, other) = (try network("192.0.2.1"), try network("192.0.2.2"))
        for _ in 0..<2 { try await gate.enter(slow) }
        let waiting = (0..<50).map { _ in Task { try await gate.enter(slow) } }
        try await eventually("50 calls wait") { gate.waitingCalls >= 50 }
        for _ in 0..<2 { try await gate.enter(other) }
        gate.leave(other)
        #expect(gate.waitingCalls == 50, "what another leaves is not theirs")
        gate.leave(slow)
        #expect(gate.waitingCalls == 49)
        for call in waiting { call.cancel() }
        var admitted = 0
        for call in waiting where (try? await call.value) != nil { admitted += 1 }
        #expect(admitted == 1 && gate.waitingCalls == 0)
    }

    @Test("A free place goes to the network that has the fewest calls") func theFewestComeFirst() async throws {
        let gate = CallGate(limit: 4, each: 3)
        let (many, few) = (try network("2001:db8:1::1"), try network("2001:db8:2::1"))
        for _ in 0..<3 { try await gate.enter(many) }
        try await gate.enter(few)
        let order = Order()
        func call(_ name: String, _ network: CallGate.Network) -> Task<Void, any Error> {
            Task {
                try await gate.enter(network)
                order.names.withLock { $0.append(name) }
            }
        }
        let calls = [call("many", many), call("few", few)]
        try await eventually("2 calls wait") { gate.waitingCalls >= 2 }
        gate.leave(many)
        try await calls[1].value
        #expect(order.names.withLock { $0 } == ["few"])
        gate.leave(many)
        try await calls[0].value
        #expect(order.names.withLock { $0 } == ["few", "many"])
    }

    @Test("The addresses of one IPv6 network count as one") func onePrefixIsOneNetwork() throws {
        #expect(try network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9"))
        #expect(try network("2001:db8:1:2::1") != network("2001:db8:1:3::1"))
        #expect(try network("192.0.2.1") != network("192.0.2.2"))
    }

    @Test("Places to wait are shared too") func oneNetworkHoldsAPartOfTheQueue() async throws {
        let gate = CallGate(limit: 4, each: 1)
        let (slow, other) = (try network("192.0.2.1"), try network("192.0.2.2"))
        try await gate.enter(slow)
        try await gate.enter(other)
        let waiting = (0..<400).map { _ in Task { try await gate.enter(slow) } }
        try await eventually("256 calls wait") { gate.waitingCalls >= 256 }
        // Of those that found no place each was told at once.
        await #expect(throws: OutboundError.self) { try await gate.enter(slow) }
        let patient = Task { try await gate.enter(other) }
        try await eventually("257 calls wait") { gate.waitingCalls >= 257 }
        gate.leave(other)
        try await patient.value
        for call in waiting { call.cancel() }
        for call in waiting { _ = try? await call.value }
        #expect(gate.waitingCalls == 0)
    }
}
