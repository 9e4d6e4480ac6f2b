import Synchronization
import Testing

@testable import Capabilities

@Suite("What one owner may use up of what all share", .timeLimit(.minutes(10)))
struct SharesTests {
    @Test func theLastQuarterIsNotOneOwners() {
        var shares = Shares<String>(limit: 100)
        func take(_ owner: String) -> Bool { shares.take(owner) }
        var taken = 0
        while take("mallory") { taken += 1 }
        #expect(taken == 75)
        for _ in 0..<12 { #expect(take("alice")) }
        #expect(!take("mallory"))
        #expect(take("bob"))
        #expect(take("carol"))
        #expect(shares.count == taken + 14)
        shares.giveBack("mallory", 60)
        #expect(take("mallory"))
        shares.removeAll()
        #expect(shares.count == 0)
        #expect(take("alice"))
    }

    @Test func thereAreNeverMoreThanTheLimit() {
        var shares = Shares<Int>(limit: 40)
        for owner in 0..<1_000 { _ = shares.take(owner % 100) }
        #expect(shares.count <= 40)
    }

    @Test func aKeystoreThatFillsTheReplayWindowLeavesRoomForAnother() {
        let moment = Moment()
        let window = ReplayWindow(seconds: 600, limit: 100, elapsed: moment.elapsed)
        func admit(_ number: Int, _ owner: String) -> ReplayWindow.Admission {
            window.admit(Array("\(owner) \(number)".utf8), owner: owner, now: 1_000)
        }
        var number = 0
        while admit(number, "mallory") == .fresh { number += 1 }
        #expect(admit(number, "mallory") == .full && admit(0, "mallory") == .used)
        #expect(admit(0, "alice") == .fresh && admit(0, "alice") == .used)
        moment.pass(601)
        #expect(window.admit(Array("mallory 0".utf8), owner: "mallory", now: 1_601) == .used)
        #expect(window.admit(Array("mallory new".utf8), owner: "mallory", now: 1_601) == .fresh)
    }

    /// Two small steps back, as a time server may ask for, must not make a used signature good again.
    @Test func aClockThatIsSetBackForgetsNoSignature() {
        let moment = Moment()
        let window = ReplayWindow(seconds: 124, elapsed: moment.elapsed)
        #expect(window.admit([1], now: 1000) && window.admit([2], now: 1100))
        for now in [1099, 1098, 900, 899, 1000] as [Int64] {
            #expect(!window.admit([1], now: now) && !window.admit([2], now: now), "at \(now)")
        }
        // It goes on forgetting as the time goes on.
        moment.pass(2 * 124)
        #expect(window.admit([3], now: 899 + 2 * 124))
        moment.pass(2 * 124)
        #expect(window.admit([1], now: 899 + 4 * 124))
    }

    /// What a time server that lies, or somebody who types the wrong year, does to requests of a moment ago.
    @Test(arguments: [125, 300, 86_400, 400 * 86_400] as [Int64])
    func aClockThatJumpsAheadAndIsSetRightForgetsNoSignature(_ jump: Int64) {
        let moment = Moment()
        let window = ReplayWindow(seconds: 124, elapsed: moment.elapsed)
        #expect(window.admit([1], now: 1000))
        // Other people's requests arrive while the clock is wrong.
        for number in UInt8(2)..<8 {
            moment.pass(1)
            #expect(window.admit([number], now: 1000 + jump * Int64(number)))
        }
        moment.pass(1)
        #expect(!window.admit([1], now: 1007) && !window.admit([2], now: 1007))
        // Once both clocks have gone on, it is forgotten, which the age of a request makes harmless.
        for turn in Int64(1)...2 {
            moment.pass(124)
            #expect(window.admit([100 + UInt8(turn)], now: 1007 + turn * 124))
        }
        #expect(window.admit([1], now: 1007 + 2 * 124))
    }
}

/// A clock that goes on when the test says so, and that nobody sets.
private final class Moment: Sendable {
    private let passed = Mutex(Duration.zero)

    var elapsed: @Sendable () -> Duration { { self.passed.withLock { $0 } } }

    func pass(_ seconds: Int64) { passed.withLock { $0 += .seconds(seconds) } }
}
