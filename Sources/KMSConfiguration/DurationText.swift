/// Durations as Go writes them: `10m`, `0s`, `1h30m`, `250ms`, `1.5h`; never negative.
package enum DurationText {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// Nil if the text is not a duration or longer than 100 years.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var total = 0.0
        repeat {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard !digits.isEmpty, let number = Double(digits), digits.last != "." else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            guard let unit = units.first(where: { $0.name == name }) else { return nil }
            rest = rest.dropFirst(name.count)
            total += number * unit.nanoseconds
        } while !rest.isEmpty
        guard total <= 100 * 366 * 24 * 3600e9 else { return nil }
        return .seconds(Int64(total / 1e9)) + .nanoseconds(Int64(total.truncatingRemainder(dividingBy: 1e9)))
    }
}
