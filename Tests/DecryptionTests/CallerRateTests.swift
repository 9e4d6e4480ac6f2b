import Testing

@testable import Decryption

@Suite("How often a caller may ask", .timeLimit(.minutes(10)))
struct CallerRateTests {
    private let start = ContinuousClock.now

    @Test("Two seconds' worth at once, then as many as the rate says")
    func pace() {
        let rate = CallerRate(perSecond: 5)
        let verdicts = (0..<12).map { _ in rate.take("a", now: start) }
        #expect(verdicts[..<10].allSatisfy { $0 == .allowed })
        #expect(verdicts[10...] == [.refused(isNew: true), .refused(isNew: false)])
        #expect(rate.take("b", now: start) == .allowed)
        #expect(rate.take("a", now: start + .milliseconds(199)) == .refused(isNew: false))
        #expect(rate.take("a", now: start + .milliseconds(401)) == .allowed)
        #expect(rate.take("a", now: start + .milliseconds(402)) == .allowed)
        #expect(rate.take("a", now: start + .milliseconds(403)) == .refused(isNew: false))
        #expect(CallerRate(perSecond: 0).take("a") == .allowed)
    }

    @Test("What is cheap costs less")
    func cost() {
        let rate = CallerRate(perSecond: 1)
        let allowed = (0..<40).filter { _ in rate.take("a", cost: 0.125, now: start) == .allowed }
        #expect(allowed.count == 16)
        #expect(rate.take("a", now: start + .milliseconds(999)) == .refused(isNew: false))
    }

    @Test("A refusal is new again after a minute without one told")
    func telling() {
        let rate = CallerRate(perSecond: 1)
        for _ in 0..<2 { #expect(rate.take("a", now: start) == .allowed) }
        #expect(rate.take("a", now: start) == .refused(isNew: true))
        for second in 1...59 {
            let now = start + .seconds(second)
            #expect(rate.take("a", now: now) == .allowed)
            #expect(rate.take("a", now: now) == .refused(isNew: false))
        }
        #expect(rate.take("a", now: start + .seconds(60)) == .allowed)
        #expect(rate.take("a", now: start + .seconds(60)) == .refused(isNew: true))
    }

    @Test("A full table forgets the fullest and locks no newcomer out")
    func eviction() {
        let rate = CallerRate(perSecond: 1, most: 8)
        // One has nothing left, the others one question.
        for caller in ["none", "none", "1", "2", "3", "4", "5", "6", "7"] {
            #expect(rate.take(caller, now: start) == .allowed)
        }
        for newcomer in 0..<100 {
            #expect(rate.take("new \(newcomer)", now: start) == .allowed)
            #expect(rate.count <= 8)
            #expect(rate.take("none", now: start) != .allowed)
        }
    }

    @Test("A full table first forgets those that are full again")
    func forgetting() {
        let rate = CallerRate(perSecond: 1, most: 8)
        for caller in 0..<7 { #expect(rate.take("\(caller)", now: start) == .allowed) }
        let later = start + .seconds(10)
        for _ in 0..<2 { #expect(rate.take("busy", now: later) == .allowed) }
        #expect(rate.take("new", now: later) == .allowed)
        #expect(rate.count == 2)
        #expect(rate.take("busy", now: later) != .allowed)
    }

    @Test("An IPv6 caller is his /64, an IPv4 one his address, however it is written")
    func blocks() {
        let six = CallerBlock(address: [0x20, 1, 0xD, 0xB8, 0, 1, 0, 2] + [UInt8](repeating: 7, count: 8))
        #expect(six == CallerBlock(address: [0x20, 1, 0xD, 0xB8, 0, 1, 0, 2] + [UInt8](repeating: 9, count: 8)))
        #expect(six != CallerBlock(address: [0x20, 1, 0xD, 0xB8, 0, 1, 0, 3] + [UInt8](repeating: 7, count: 8)))
        #expect(six.text == "20010db800010002/64")
        let four = CallerBlock(address: [192, 0, 2, 1])
        #expect(four.text == "192.0.2.1")
        #expect(four == CallerBlock(address: [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 1]))
        #expect(four != CallerBlock(address: [192, 0, 2, 2]))
        #expect(CallerBlock(address: []).text == "-")
    }
}
