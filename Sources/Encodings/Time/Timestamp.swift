package import Foundation
import Glibc
import Synchronization

/// Times as text, without the machinery of calendars and locales: always UTC, proleptic Gregorian.
package struct Timestamp: Equatable, Sendable {
    /// Since 1970, without leap seconds.
    package var seconds: Int
    package var nanoseconds: Int

    package init(seconds: Int64) { self.init(seconds: Int(seconds), nanoseconds: 0) }

    package init(seconds: Int, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package init(_ date: Date) {
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded())
        self.init(
            seconds: milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000,
            nanoseconds: (milliseconds % 1000 + 1000) % 1000 * 1_000_000)
    }

    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    /// RFC 3339 with `digits` digits of the second's fraction.
    package func rfc3339(digits: Int) -> String {
        let (year, month, day) = civil
        let time = seconds - days * 86_400
        var text = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
        text += "T\(Self.padded(time / 3600, 2)):\(Self.padded(time / 60 % 60, 2)):\(Self.padded(time % 60, 2))"
        if digits > 0 { text += "." + Self.padded(nanoseconds, 9).prefix(digits) }
        return text + "Z"
    }

    /// IMF-fixdate of RFC 9110, section 5.6.7.
    package var http: String {
        let (year, month, day) = civil
        let time = seconds - days * 86_400
        let weekday = Self.weekdays[((days + 4) % 7 + 7) % 7]
        return "\(weekday), \(Self.padded(day, 2)) \(Self.months[month - 1]) \(Self.padded(year, 4)) "
            + "\(Self.padded(time / 3600, 2)):\(Self.padded(time / 60 % 60, 2)):\(Self.padded(time % 60, 2)) GMT"
    }

    /// The value of a `Date` header now; made once a second.
    package static func httpNow() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        let seconds = time.tv_sec
        return cached.withLock { cached in
            if cached.seconds != seconds { cached = (seconds, Timestamp(seconds: seconds, nanoseconds: 0).http) }
            return cached.text
        }
    }

    private static let cached = Mutex<(seconds: Int, text: String)>((-1, ""))
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var days: Int { seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400 }

    /// Year, month and day by counting 400-year eras of 146,097 days that begin on the first of March.
    private var civil: (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
