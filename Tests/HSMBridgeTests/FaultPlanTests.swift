import Testing
import Token

@testable import HSMBridge

@Suite(.timeLimit(.minutes(10))) struct FaultPlanTests {
    private let value = ReturnValue(rawValue: 0x30)

    private func answers(_ plan: FaultPlan, _ function: StaticString, _ count: Int) -> [Bool] {
        (0..<count).map { _ in plan.fault(for: function) == value }
    }

    @Test func theNthCallFails() {
        let plan = FaultPlan()
        plan.fail("C_Sign", .nth(3), with: value)
        #expect(answers(plan, "C_Sign", 5) == [false, false, true, false, false])
        #expect(plan.fault(for: "C_Verify") == nil)
        #expect(plan.calls(of: "C_Sign") == 5)
    }

    @Test func theFirstOrEveryCallFails() {
        let plan = FaultPlan()
        plan.fail("C_Sign", .first(2), with: value)
        #expect(answers(plan, "C_Sign", 4) == [true, true, false, false])
        plan.fail("*", with: value)
        #expect(answers(plan, "C_Verify", 3) == [true, true, true])
        plan.clear()
        #expect(answers(plan, "C_Verify", 2) == [false, false])
        #expect(plan.calls(of: "C_Verify") == 5)
    }

    /// Rules count from when they were made, so a test can break what already runs.
    @Test func rulesCountFromTheirMaking() {
        let plan = FaultPlan()
        _ = answers(plan, "C_Sign", 10)
        plan.fail("C_Sign", .nth(1), with: value)
        #expect(answers(plan, "C_Sign", 2) == [true, false])
    }

    @Test func aDelayedCallWaitsAndGoesOn() {
        let plan = FaultPlan()
        plan.delay("C_Sign", .nth(1), by: .milliseconds(30))
        let start = ContinuousClock.now
        #expect(plan.fault(for: "C_Sign") == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(30))
    }
}
