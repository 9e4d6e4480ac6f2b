import Testing

@testable import Workers

@Suite(.timeLimit(.minutes(10))) struct RingBufferTests {
    @Test func theQueueKeepsItsOrder() {
        var queue = RingBuffer<Int>()
        for number in 0..<100 { queue.append(number) }
        for number in 0..<50 { #expect(queue.popFirst() == number) }
        for number in 100..<200 { queue.append(number) }
        queue.prepend(-1)
        #expect(queue.removeAll { !$0.isMultiple(of: 2) } == [-1] + (50..<200).filter { !$0.isMultiple(of: 2) })
        #expect(queue.removeAll() == (50..<200).filter { $0.isMultiple(of: 2) })
        #expect(queue.popFirst() == nil)
        #expect(queue.count == 0)
    }
}
