import Testing

@testable import Workers

@Suite(.timeLimit(.minutes(10))) struct RecentlyUsedTests {
    @Test(arguments: [2, 3, 10, 64])
    func atLeastHalfOfTheBoundIsThere(_ limit: Int) {
        var memory = RecentlyUsed<Int, Int>(limit: limit)
        for number in 0..<500 {
            memory.insert(number, number)
            #expect(memory.count <= limit)
            for back in 0..<min(number + 1, limit / 2) { #expect(memory.peek(number - back) == number - back) }
        }
        #expect(memory.peek(0) == nil)
    }

    @Test func whatIsFoundStaysAndWhatIsNotGoes() {
        var memory = RecentlyUsed<Int, Int>(limit: 8)
        memory.insert(-1, -1)
        memory.insert(-2, -2)
        for number in 0..<100 {
            #expect(memory.find(-1) == -1)
            memory.insert(number, number)
        }
        #expect(memory.find(-2) == nil)
    }

    @Test func aLaterValueReplacesAnEarlier() {
        var memory = RecentlyUsed<Int, Int>(limit: 4)
        for number in 0..<9 { memory.insert(number, 7) }
        #expect(memory.find(7) == 8)
        #expect(memory.count == 1)
    }
}
