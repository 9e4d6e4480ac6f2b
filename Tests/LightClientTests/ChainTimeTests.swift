import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct ChainTimeTests {
    @Test func timesAreTwoWholeNumbers() throws {
        let times: [(String, Int64, UInt32)] = [
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("1970-01-01T00:00:00Z", 0, 0),
            ("1969-12-31T23:59:59.500Z", -1, 500_000_000), ("2024-02-29T23:59:59.000000007Z", 1_709_251_199, 7),
            ("2024-03-25T10:05:00.1Z", 1_711_361_100, 100_000_000),
            ("2024-03-25T10:05:00.123456789Z", 1_711_361_100, 123_456_789),
            ("2000-02-29T00:00:00Z", 951_782_400, 0), ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
        ]
        for (text, seconds, nanoseconds) in times {
            let time = try #require(ChainTime(rfc3339: text.utf8), "\(text)")
            #expect(time.seconds == seconds && time.nanoseconds == nanoseconds, "\(text)")
        }
    }

    @Test(arguments: [
        "", "Z", "2024-03-25T10:05:00", "2024-03-25 10:05:00Z", "2024-03-25t10:05:00Z", "2024-03-25T10:05:00z",
        "2024-03-25T10:05:00+00:00", "2024-03-25T10:05:00.Z", "2024-03-25T10:05:00.1234567890Z",
        "2024-03-25T10:05:60Z", "2024-03-25T24:00:00Z", "2024-03-25T10:60:00Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-04-31T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z", "2024-03-00T00:00:00Z", "-024-03-25T10:05:00Z", "2024-03-25T10:05:0٣Z",
        "2024-03-25T10:05:00,5Z", "12024-03-25T10:05:00Z", "2024-03-25T10:05:00.+1Z", "2024-03-25T10:05:00ZZ",
    ])
    func otherTextsAreNoTimes(_ text: String) {
        #expect(ChainTime(rfc3339: text.utf8) == nil)
    }

    @Test func addingNeverLeavesTheRange() throws {
        let time = try #require(ChainTime(seconds: 100, nanoseconds: 5))
        #expect(time.advanced(bySeconds: 3).seconds == 103)
        #expect(time.advanced(bySeconds: 3).nanoseconds == 5)
        #expect(time.advanced(bySeconds: .max) == .last)
        #expect(time.advanced(bySeconds: .min) == .zero)
        #expect(ChainTime.last.advanced(bySeconds: 1) == .last)
        #expect(ChainTime.zero.advanced(bySeconds: -1) == .zero)
        #expect(ChainTime(seconds: 0, nanoseconds: 1_000_000_000) == nil)
        #expect(ChainTime(seconds: .max) == nil && ChainTime(seconds: .min) == nil)
        #expect(try #require(ChainTime(seconds: 1)) < time)
    }
}
