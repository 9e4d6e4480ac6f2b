import Foundation
import GRDB
import Synchronization
import Testing

@testable import Audit

@Suite(.timeLimit(.minutes(10))) struct AuditChainTests {
    @Test func recordsFollowOneAnotherAcrossRestarts() async throws {
        let fixture = try ChainFixture()
        var chain = try fixture.open()
        for index in 2...4 as ClosedRange<UInt64> {
            #expect(try await chain.record(ChainFixture.event()).index == index)
        }
        await chain.close()
        chain = try fixture.open()
        let position = try await chain.record(ChainFixture.event("after"))
        #expect(position.index == 6)
        #expect(chain.head.position == position)
        await chain.close()

        let records = try fixture.records()
        #expect(records.map(\.index) == Array(1...6))
        #expect(records.map(\.kind) == [.start, .event, .event, .event, .start, .event])
        #expect(records[0].previous == AuditRecord.origin)
        for (before, after) in zip(records, records.dropFirst()) {
            #expect(after.previous == (try AuditRecord.hash(before.encoded)))
        }
        #expect(records[0].boot == records[3].boot)
        #expect(records[0].boot != records[4].boot)
    }

    @Test func manyWritersMakeOneSequence() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        let indices = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for writer in 0..<64 {
                group.addTask {
                    var own: [UInt64] = []
                    for round in 0..<20 {
                        own.append(try await chain.record(ChainFixture.event("w\(writer)", subject: "\(round)")).index)
                    }
                    return own
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(indices.sorted() == Array(2...1281))
        await chain.close()
        #expect(try fixture.records().count == 1281)
    }

    @Test func aRecordIsOnDiskWhenItsCallReturns() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        let position = try await chain.record(ChainFixture.event("seen"))
        let found = try fixture.records().last
        #expect(found?.index == position.index)
        #expect(found?.event.operation == "seen")
        await chain.close()
    }

    @Test func aSecondWriterIsRefused() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        #expect(throws: AuditError.self) { try fixture.open() }
        do {
            _ = try fixture.open()
        } catch let error as AuditError {
            #expect(error.code == .inUse)
        }
        await chain.close()
    }

    @Test func filesOfOthersAreRefused() async throws {
        let fixture = try ChainFixture()
        await (try fixture.open()).close()
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: fixture.path)
        #expect { try fixture.open() } throws: { ($0 as? AuditError)?.message.contains("chmod 600") == true }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fixture.path)
        try fixture.edit("PRAGMA application_id = 7")
        #expect { try fixture.open() } throws: { ($0 as? AuditError)?.message.contains("another program") == true }
        for name in [".lock", ""] {
            let mode = try FileManager.default.attributesOfItem(atPath: fixture.path + name)[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
        }
    }

    @Test func postedRecordsAreWrittenInOrder() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        for index in 0..<500 { try await chain.post(ChainFixture.event("post", subject: "\(index)")) }
        await chain.close()
        #expect(try fixture.records().dropFirst().map(\.event.subject) == (0..<500).map(String.init))
        await #expect(throws: AuditError.self) { try await chain.post(ChainFixture.event()) }
    }

    @Test func longWordsAreCutAndStayApart() async throws {
        let fixture = try ChainFixture()
        let chain = try fixture.open()
        let long = String(repeating: "é\n", count: 400_000)
        var event = ChainFixture.event(long, subject: long, details: ["a": long])
        event.actor = long
        event.requestID = long
        _ = try await chain.record(event)
        event.actor += "x"
        _ = try await chain.record(event)
        await chain.close()
        let found = try fixture.records().suffix(2).map(\.event)
        #expect(found.allSatisfy { $0.actor.utf8.count <= 512 && $0.details["a", default: ""].utf8.count <= 1024 })
        #expect(found[0].actor != found[1].actor)
        #expect(found[0].operation == found[1].operation)
    }
}
