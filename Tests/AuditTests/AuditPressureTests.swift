import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Audit

/// A disk that is slower than the requests slows them; one that hangs refuses them in time.
@Suite(.timeLimit(.minutes(10))) struct AuditPressureTests {
    /// Outcomes of as many posts at once.
    private func flood(_ chain: AuditChain, _ count: Int) async -> [AuditError.Code?] {
        await withTaskGroup(of: AuditError.Code?.self) { group in
            for index in 0..<count {
                group.addTask {
                    do throws(AuditError) {
                        try await chain.post(ChainFixture.event("flood", subject: "\(index)"))
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func aSlowDiskSlowsCallersAndRefusesNobody() async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(.beforeTransaction)
        let chain = try fixture.open(queueLimit: 16, faults: trouble.faults)
        trouble.delay.withLock { $0 = 0.02 }
        let start = ContinuousClock.now
        var outcomes: [AuditError.Code?] = []
        // At most as many wait at once as may.
        for _ in 0..<5 { outcomes += await flood(chain, 16) }
        #expect(outcomes.count == 80 && outcomes.allSatisfy { $0 == nil })
        // 80 records of which 14 find room at a time: whoever was not slowed would have been done at once.
        #expect(ContinuousClock.now - start > .milliseconds(60))
        await chain.close()
        #expect(try fixture.records().count == 81)
    }

    @Test func aBlockedDiskHoldsCallersUntilTheDeadline() async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(.beforeTransaction)
        let chain = try fixture.open(queueLimit: 16, timeout: .milliseconds(400), faults: trouble.faults)
        trouble.block()
        let start = ContinuousClock.now
        let outcomes = await flood(chain, 40)
        let taken = ContinuousClock.now - start
        // 14 find room, 16 wait for it, and no more may wait.
        #expect(outcomes.count { $0 == nil } == 14)
        #expect(outcomes.count { $0 == .overloaded || $0 == .unavailable } == 26)
        #expect(taken >= .milliseconds(400))
        try await eventually("the chain reports the blocked disk") { chain.problem != nil }
        await #expect(throws: AuditError.self) { try await chain.post(ChainFixture.event()) }
        trouble.unblock()
        try await eventually("the chain writes again") { chain.problem == nil }
        try await chain.post(ChainFixture.event("healed"))
        await chain.close()
        // What was refused was not written, what was taken was.
        #expect(try fixture.records().count == 1 + 14 + 1)
    }

    @Test func whoWaitsForRoomIsToldOfAFailure() async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(.beforeTransaction)
        let chain = try fixture.open(queueLimit: 8, faults: trouble.faults)
        trouble.block()
        async let outcomes = flood(chain, 14)
        try await eventually("seven wait for room") { chain.writer.state.withLock { $0.queue.held.count } >= 7 }
        trouble.fails.withLock { $0 = true }
        trouble.unblock()
        #expect(await outcomes.count { $0 == .unavailable } == 7)
        trouble.fails.withLock { $0 = false }
        try await eventually("the chain writes again") { chain.problem == nil }
        await chain.close()
        #expect(try fixture.records().count == 8)
    }

    @Test func thereIsRoomLeftForWhatIsWaitedFor() async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(.beforeTransaction)
        let chain = try fixture.open(queueLimit: 16, faults: trouble.faults)
        trouble.block()
        async let uses = flood(chain, 20)
        try await eventually("six wait for room") { chain.writer.state.withLock { $0.queue.held.count } >= 6 }
        async let change = chain.recordDone(ChainFixture.event("change"))
        try await eventually("all 21 have arrived") {
            chain.writer.state.withLock { $0.queue.held.count + $0.queue.waiting.count + $0.queue.writing.count } >= 21
        }
        #expect(chain.writer.state.withLock { $0.queue.held.count } == 6)
        trouble.unblock()
        _ = try await change
        #expect(await uses.allSatisfy { $0 == nil })
        await chain.close()
        #expect(try fixture.records().count == 22)
    }

    @Test func postedRecordsAreDurableSoonWithoutAnybodyWaiting() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        for round in 1...3 as ClosedRange<UInt64> {
            try await chain.post(ChainFixture.event())
            try await eventually("post \(round) is in the chain") { chain.head.position.index >= 1 + round }
            // Read from the file by another connection: it is there, not only counted.
            #expect(try fixture.records().count == Int(1 + round))
        }
        await chain.close()
    }

    @Test func aFlushWaitsForWhatWasPosted() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        for _ in 0..<20 { try await chain.post(ChainFixture.event()) }
        await chain.flush()
        #expect(chain.head.position.index == 21)
        await chain.close()
    }
}
