import EnclaveLock
import Testing
import Workers

@testable import Audit

/// The rules of the queue, without a disk.
@Suite(.timeLimit(.minutes(10))) struct AuditQueueTests {
    private let start = ContinuousClock.now

    private func item(
        _ name: String, isKept: Bool = true, after seconds: Int = 5, answer: AuditAnswer<AuditPosition>? = nil,
        room: AuditAnswer<Void>? = nil
    ) -> AuditItem {
        AuditItem(
            kind: .event, event: AuditRecord.encode(ChainFixture.event(name)), subject: name,
            deadline: start + .seconds(seconds), isKept: isKept, answer: answer, room: room)
    }

    /// Runs `body` with something to answer, which is answered in the end.
    private func withAnswer<Value: Sendable>(
        _ value: Value, _ body: (AuditAnswer<Value>) -> Void
    ) async -> Result<Value, AuditError> {
        await withUnsafeContinuation { continuation in
            let answer = AuditAnswer<Value>(continuation)
            body(answer)
            answer.deliver(.success(value))
        }
    }

    @Test func aRecordOvertakesNoneThatWaitsForRoom() async {
        _ = await withAnswer(()) { room in
            var queue = AuditQueue(limit: 8, timeout: .seconds(5))
            for index in 0..<7 { #expect(queue.offer(item("\(index)")) == .taken) }
            #expect(queue.offer(item("nobody")) == .full)
            #expect(queue.offer(item("7", room: room)) == .held)
            queue.take(3)
            // There is room only when those are written.
            #expect(queue.offer(item("8", room: room)) == .held)
            #expect(queue.endTransaction().count == 2)
            #expect(queue.waiting.compactMap(\.subject) == ["3", "4", "5", "6", "7", "8"])
            #expect(queue.waiting.allSatisfy { $0.room == nil })
            #expect(queue.held.isEmpty && queue.writing.isEmpty)
        }
    }

    @Test func whatWasDoneIsKeptAfterItsDeadline() async {
        let position = AuditPosition(index: 1, hash: [])
        _ = await withAnswer(position) { answer in
            var queue = AuditQueue(limit: 8, timeout: .seconds(5))
            #expect(queue.offer(item("posted")) == .taken)
            #expect(queue.offer(item("done", after: 1, answer: answer)) == .taken)
            #expect(queue.offer(item("wished", isKept: false, after: 1, answer: answer)) == .taken)
            #expect(queue.expire(at: start).late.isEmpty)
            let overdue = queue.expire(at: start + .seconds(1))
            #expect(overdue.late.compactMap(\.subject) == ["done", "wished"])
            #expect(!overdue.isStuck && overdue.roomless.isEmpty)
            #expect(queue.waiting.compactMap(\.subject) == ["posted", "done"])
            // Nobody waits any more: nothing is overdue again.
            #expect(queue.expire(at: start + .seconds(9)).late.isEmpty)
        }
    }

    @Test func aFailureKeepsWhatNobodyWaitsFor() async {
        let position = AuditPosition(index: 1, hash: [])
        _ = await withAnswer(position) { answer in
            var queue = AuditQueue(limit: 8, timeout: .seconds(5))
            #expect(queue.offer(item("written")) == .taken)
            #expect(queue.offer(item("wished", isKept: false, answer: answer)) == .taken)
            queue.take(2)
            #expect(queue.offer(item("waiting")) == .taken)
            #expect(queue.fail().compactMap(\.subject) == ["written", "wished", "waiting"])
            #expect(queue.waiting.compactMap(\.subject) == ["written", "waiting"])
        }
    }

    @Test func oneTransactionThatTakesTooLongIsStuck() {
        var queue = AuditQueue(limit: 8, timeout: .seconds(5))
        #expect(queue.offer(item("posted", after: 0)) == .taken)
        queue.take(1)
        let now = ContinuousClock.now
        #expect(!queue.expire(at: now + .seconds(4)).isStuck, "waiting long before is no sign of a disk that hangs")
        #expect(queue.expire(at: now + .seconds(6)).isStuck)
        _ = queue.endTransaction()
        #expect(!queue.expire(at: now + .seconds(60)).isStuck)
    }
}
