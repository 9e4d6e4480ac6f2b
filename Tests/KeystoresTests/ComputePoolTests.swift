import Dispatch
import Synchronization
import Testing

@testable import Keystores

@Suite("Threads for long computations", .timeLimit(.minutes(10))) struct ComputePoolTests {
    /// How many jobs run, and how many ran at once.
    private final class Tally: Sendable {
        private let state = Mutex((now: 0, most: 0))

        func enter() { state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }
        func leave() { state.withLock { $0.now -= 1 } }
        var most: Int { state.withLock { $0.most } }
    }

    @Test func resultsAndErrorsComeBack() async throws {
        let pool = ComputePool(width: 2)
        #expect(try await pool.run { [1, 2] } == [1, 2])
        await #expect(throws: KMSError.self) { try await pool.run { throw KMSError(.internal, "x") } }
    }

    @Test func noMoreJobsAtOnceThanThreadsAndAllOfManyAreDone() async throws {
        let pool = ComputePool(width: 2, depth: 1_000)
        let tally = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    _ = try await pool.run {
                        tally.enter()
                        tally.leave()
                        return []
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect((1...2).contains(tally.most))
    }

    @Test func aFullQueueRefusesAtOnce() async throws {
        let pool = ComputePool(width: 1, depth: 0)
        let tally = Tally()
        let (started, start) = AsyncStream<Void>.makeStream()
        let holder = DispatchSemaphore(value: 0)
        async let long = pool.run {
            start.yield()
            holder.wait()
            return [1]
        }
        for await _ in started { break }
        await #expect(throws: KMSError.self) {
            try await pool.run {
                tally.enter()
                return []
            }
        }
        holder.signal()
        #expect(try await long == [1])
        #expect(tally.most == 0)
    }

    @Test func aJobWhosePatienceIsOverIsNotBegun() async throws {
        let pool = ComputePool(width: 1, patience: .seconds(-1))
        let tally = Tally()
        do {
            _ = try await pool.run {
                tally.enter()
                return []
            }
            Issue.record("the job was run")
        } catch let error as KMSError {
            #expect(error.code == .deadlineExceeded)
        }
        #expect(tally.most == 0)
    }
}
