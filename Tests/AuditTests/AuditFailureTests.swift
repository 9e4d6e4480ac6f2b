import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import Audit

/// A record that cannot be written is refused, and nothing waits for ever.
@Suite(.timeLimit(.minutes(10))) struct AuditFailureTests {
    @Test(arguments: [AuditFaults.Point.beforeTransaction, .beforeCommit])
    func aFailedWriteIsToldAndHeals(_ point: AuditFaults.Point) async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(point)
        let chain = try fixture.open(faults: trouble.faults)
        _ = try await chain.record(ChainFixture.event("before"))
        trouble.fails.withLock { $0 = true }
        await #expect { _ = try await chain.record(ChainFixture.event("lost")) } throws: {
            ($0 as? AuditError)?.code == .unavailable && "\($0)".contains("full")
        }
        #expect(chain.problem?.code == .unavailable)
        // Nobody would learn that a posted record is lost.
        await #expect(throws: AuditError.self) { try await chain.post(ChainFixture.event("posted")) }
        trouble.fails.withLock { $0 = false }
        try await eventually("the chain writes again") { chain.problem == nil }
        #expect(try await chain.record(ChainFixture.event("after")).index == 3)
        await chain.close()
        #expect(try fixture.records().map(\.event.operation) == ["start", "before", "after"])
    }

    @Test func aCommitOfUnknownOutcomeIsLookedUp() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        // As if an earlier commit had been reported as failed and yet happened.
        _ = try await chain.record(ChainFixture.event("first"))
        chain.writer.state.withLock { state in
            state.head.position = AuditPosition(index: 1, hash: AuditRecord.origin)
            state.failure = AuditError(.unavailable, "as if")
        }
        #expect(try await chain.record(ChainFixture.event("second")).index == 3)
        await chain.close()
    }

    @Test func postedRecordsSurviveAFailedWrite() async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(.beforeCommit)
        let chain = try fixture.open(faults: trouble.faults)
        trouble.block()
        for index in 0..<5 { try await chain.post(ChainFixture.event("posted", subject: "\(index)")) }
        trouble.fails.withLock { $0 = true }
        trouble.unblock()
        try await eventually("the chain reports the failed write") { chain.problem != nil }
        trouble.fails.withLock { $0 = false }
        try await eventually("the chain writes again") { chain.problem == nil }
        await chain.close()
        #expect(try fixture.records().dropFirst().map(\.event.subject) == ["0", "1", "2", "3", "4"])
    }

    @Test func aDiskThatHangsIsTimeBoxed() async throws {
        let fixture = try ChainFixture()
        let trouble = Trouble(.beforeCommit)
        let chain = try fixture.open(timeout: .milliseconds(300), faults: trouble.faults)
        trouble.block()
        await #expect { _ = try await chain.record(ChainFixture.event()) } throws: {
            ($0 as? AuditError)?.code == .unavailable
        }
        #expect(chain.problem != nil)
        await #expect(throws: AuditError.self) { _ = try await chain.record(ChainFixture.event()) }
        trouble.unblock()
        try await eventually("the chain writes again") { chain.problem == nil }
        _ = try await chain.record(ChainFixture.event("healed"))
        await chain.close()
        #expect(try fixture.records().last?.event.operation == "healed")
    }
}
