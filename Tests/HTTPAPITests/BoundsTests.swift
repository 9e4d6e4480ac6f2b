import Audit
import Keystores
import Storage
import Testing

@testable import HTTPAPI

@Suite("What callers may use up", .timeLimit(.minutes(10)))
struct BoundsTests {
    @Test func refusalsThatRepeatAreRecordedSomeTimesAndCountedForTheRest() {
        let counts = RefusalCounts()
        let kind = RefusalCounts.Kind(actor: "-", operation: "sign", reason: "forbidden", isFailure: false)
        let whole = (0..<1_000).filter {
            counts.isWhole(kind, address: "192.0.2.1", requestID: "\($0)", at: 100)
        }
        #expect(whole == Array(0..<RefusalCounts.whole))
        #expect(counts.take(at: 159).isEmpty)
        let told = counts.take(at: 160)
        #expect(told[kind]?.count == 1_000 - RefusalCounts.whole)
        #expect(told[kind]?.requestID == "999" && told[kind]?.address == "192.0.2.1")
        #expect(counts.take(at: 1_000, isLast: true).isEmpty)
    }

    @Test func kindsAreBoundedWhoeverMakesThemUp() {
        let counts = RefusalCounts()
        for number in 0..<10_000 {
            let kind = RefusalCounts.Kind(
                actor: "user:\(number)", operation: "sign", reason: "forbidden", isFailure: false)
            _ = counts.isWhole(kind, address: "-", requestID: "-", at: 100)
        }
        let told = counts.take(at: 160)
        #expect(told.count == 1 && told.first?.key.actor == "-")
        #expect(told.first?.value.count == 10_000 - RefusalCounts.capacity - RefusalCounts.whole)
    }

    @Test func makersAreBoundedByAddressAndByWhoTheyAre() throws {
        let bound = MakerBound(perMinute: 5)
        func admits(_ actor: String, _ address: String) -> Bool {
            do {
                #expect(try bound.admit(actor: actor, address: address) == nil, "no bound in all is set")
                return true
            } catch {
                return false
            }
        }
        #expect((0..<20).filter { _ in admits("-", "192.0.2.1") }.count == 5)
        #expect(admits("-", "192.0.2.2"))
        // A busy machine takes so long for them that one more or the other comes back.
        #expect((50..<60).contains((0..<100).filter { _ in admits("user:a", "192.0.2.1") }.count))
        #expect((0..<100).allSatisfy { _ in admits("certificate", "192.0.2.1") })
        let whole = MakerBound(perMinute: 0, keystores: 7)
        #expect(try whole.admit(actor: "-", address: "192.0.2.1")?.limit == 7)
        #expect(try whole.admit(actor: "user:a", address: "192.0.2.1")?.limit == 70)
        #expect(try whole.admit(actor: "certificate", address: "192.0.2.1") == nil)
    }

    @Test func aQuestionThatTakesLongIsAskedOnceAndNobodyWaitsForIt() async {
        let probe = TimedProbe<Int>()
        let start = ContinuousClock.now
        let first = await probe.ask(within: .milliseconds(50)) {
            try? await Task.sleep(for: .seconds(60))
            return 1
        }
        let second = await probe.ask(within: .milliseconds(50)) { 2 }
        #expect(first == nil && second == nil)
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(await TimedProbe<Int>().ask(within: .seconds(30)) { 3 } == 3)
    }
}
