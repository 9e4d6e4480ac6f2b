import Testing

@testable import Workers

/// Tenants are served in turn, and none takes the last places from the others.
@Suite(.timeLimit(.minutes(10))) struct FairQueueTests {
    @Test func tenantsAreServedInTurnAndEachInOrder() {
        var queue = FairQueue<String, String>(limit: 100)
        var taken: [Bool] = []
        for number in 0..<10 { taken.append(queue.append("a\(number)", of: "a")) }
        for number in 0..<2 { taken.append(queue.append("b\(number)", of: "b")) }
        taken.append(queue.append("c0", of: "daemon"))
        #expect(taken == Array(repeating: true, count: 13) && queue.count == 13)
        queue.prepend("again")
        let order = (0..<14).compactMap { _ in queue.popFirst() }
        #expect(
            order == [
                "again", "a0", "b0", "c0", "a1", "b1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9",
            ])
        let nothing = queue.popFirst()
        #expect(nothing == nil && queue.count == 0)
    }

    @Test func aFloodLeavesPlacesForOthers() {
        var queue = FairQueue<String, Int>(limit: 1_000)
        let flood = (0..<5_000).filter { queue.append($0, of: "flood") }.count
        #expect(flood == 750)
        let quiet = (0..<20).filter { queue.append($0, of: "quiet \($0)") }.count
        #expect(quiet == 20)
        let more = queue.append(0, of: "flood")
        #expect(!more)
        // Served after one of the flood's, not after all of them.
        let first = (0..<21).compactMap { _ in queue.popFirst() }
        #expect(Set(first).isSuperset(of: 0..<20))
        #expect(queue.count == 749)
    }

    @Test func theBoundHoldsForAnyNumberOfTenants() {
        var queue = FairQueue<String, Int>(limit: 64)
        let taken = (0..<10_000).filter { queue.append($0, of: "\($0)") }.count
        #expect(taken == 64 && queue.count == 64)
        let even = queue.removeAll { $0 % 2 == 0 }
        #expect(even.count == 32 && queue.count == 32)
        let rest = queue.removeAll()
        #expect(rest.count == 32 && queue.count == 0)
        let again = queue.append(1, of: "daemon")
        let popped = queue.popFirst()
        #expect(again && popped == 1)
    }
}
