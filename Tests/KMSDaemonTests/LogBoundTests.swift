import Testing

@testable import KMSDaemon

@Suite("What the log may be made to hold", .timeLimit(.minutes(10)))
struct LogBoundTests {
    @Test("Each place of the program logs at a bounded rate, and what is left out is told")
    func eachPlaceOfTheProgramLogsAtABoundedRateAndWhatIsLeftOutIsTold() {
        let rate = LineRate()
        let start = ContinuousClock.now
        let admitted = (0..<500).filter { _ in rate.admit("a:1", words: "refused", now: start).admitted }
        #expect(admitted.count == Int(LineRate.burst))
        #expect(rate.admit("b:2", words: "other", now: start).admitted)
        #expect(rate.takeUntold(now: start).isEmpty)
        let later = rate.admit("a:1", words: "refused", now: start + .seconds(1))
        #expect(later.admitted && later.before == 500 - UInt64(LineRate.burst))
        #expect(rate.takeUntold(now: start + .seconds(9)).isEmpty)
        #expect(rate.leftOut == 500 - UInt64(LineRate.burst))
    }

    @Test func wordsOfOthersAreHarmless() {
        #expect(TerminalEscaping.of("plain é 漢 — ok") == "plain é 漢 — ok")
        #expect(TerminalEscaping.of("\u{1B}[2J\r\n\u{0}\u{7F}") == "\\u{1b}[2J\\u{d}\\u{a}\\u{0}\\u{7f}")
        #expect(
            TerminalEscaping.of("\u{202E}\u{200B}\u{2028}\u{9B}\u{FEFF}")
                == "\\u{202e}\\u{200b}\\u{2028}\\u{9b}\\u{feff}")
        // Letters that show nothing.
        #expect(TerminalEscaping.of("a\u{3164}\u{115f}b\u{ffa0}") == "a\\u{3164}\\u{115f}b\\u{ffa0}")
        #expect(TerminalEscaping.of("\\u{1b}") == "\\u{5c}u{1b}")
    }
}
