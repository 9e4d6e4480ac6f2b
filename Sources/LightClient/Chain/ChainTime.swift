/// A moment as the chain counts it: two whole numbers, because every digit is hashed and signed.
///
/// Seconds since 1970 in UTC without leap seconds, negative before; nanoseconds 0 to 999,999,999, always forwards.
public struct ChainTime: Sendable, Hashable, Comparable {
    public let seconds: Int64
    public let nanoseconds: UInt32

    /// 0001-01-01T00:00:00Z, which stands for "no time".
    public static let zero = ChainTime(unchecked: earliest, 0)
    /// 1970-01-01T00:00:00Z.
    static let epoch = ChainTime(unchecked: 0, 0)
    /// 9999-12-31T23:59:59.999999999Z.
    public static let last = ChainTime(unchecked: latest, 999_999_999)
    /// The seconds of the years 1 and 9999, protobuf's range of timestamps.
    static let earliest: Int64 = -62_135_596_800
    static let latest: Int64 = 253_402_300_799

    /// - Returns: nil outside the years 1 to 9999, and for a billion nanoseconds and more.
    public init?(seconds: Int64, nanoseconds: UInt32 = 0) {
        guard Self.earliest...Self.latest ~= seconds, nanoseconds < 1_000_000_000 else { return nil }
        self.init(unchecked: seconds, nanoseconds)
    }

    private init(unchecked seconds: Int64, _ nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (one: ChainTime, other: ChainTime) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }

    /// This time and some whole seconds more; the last time there is where that would be later.
    public func advanced(bySeconds more: Int64) -> ChainTime {
        let (sum, overflow) = seconds.addingReportingOverflow(more)
        guard !overflow, sum <= Self.latest else { return more < 0 ? .zero : .last }
        return sum < Self.earliest ? .zero : ChainTime(unchecked: sum, nanoseconds)
    }
}

extension ChainTime {
    /// Reads RFC 3339 as a node writes it: upper-case T and Z, at most nine digits of a fraction, no leap second.
    ///
    /// - Returns: nil for any other text, a day that the month does not have among them.
    public init?(rfc3339 text: some Collection<UInt8>) {
        let bytes = Array(text.prefix(31))
        guard 20...30 ~= bytes.count, bytes.last == UInt8(ascii: "Z"),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10]), let hour = Self.number(bytes[11..<13]),
            let minute = Self.number(bytes[14..<16]), let second = Self.number(bytes[17..<19]),
            year >= 1, 1...12 ~= month, 1...Self.days(in: month, of: year) ~= day, hour < 24, minute < 60, second < 60
        else { return nil }
        var nanoseconds: Int64 = 0
        if bytes.count > 20 {
            let fraction = bytes[20..<bytes.count - 1]
            guard bytes[19] == UInt8(ascii: "."), !fraction.isEmpty, let value = Self.number(fraction) else {
                return nil
            }
            nanoseconds = (fraction.count..<9).reduce(value) { scaled, _ in scaled * 10 }
        }
        let days = Self.daysSince1970(year, month, day)
        self.init(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second, nanoseconds: UInt32(nanoseconds))
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard digit &- UInt8(ascii: "0") < 10 else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// In the proleptic Gregorian calendar, counted in years that start on 1 March.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
