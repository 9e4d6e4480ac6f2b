/// Writes metrics in the Prometheus text format, version 0.0.4.
///
/// - Source: Prometheus, "Exposition formats".
public struct PrometheusText: Sendable {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    public private(set) var text = ""

    public init() {}

    /// Begins a family; its values follow.
    public mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    // exact: the names are this program's own, in ASCII.
    public mutating func value(_ name: String, labels: [String: String] = [:], _ count: UInt64) {
        text += "\(name)\(Self.braced(labels)) \(count)\n"
    }

    public mutating func value(
        // exact: the names are this program's own, in ASCII.
        _ name: String, labels: [String: String] = [:], _ histogram: Histogram, inMilliseconds: Bool = false
    ) {
        let (cumulative, sum) = histogram.snapshot()
        let unit = inMilliseconds ? 1000.0 : 1
        for (index, count) in cumulative.enumerated() {
            let bound = index < Histogram.bounds.count ? Self.short(Histogram.bounds[index] * unit) : "+Inf"
            text += "\(name)_bucket\(Self.braced(labels, bound: bound)) \(count)\n"
        }
        text += "\(name)_sum\(Self.braced(labels)) \(sum * unit)\n"
        text += "\(name)_count\(Self.braced(labels)) \(cumulative.last ?? 0)\n"
    }

    /// `1`, not `1.0`, as other exporters write bounds.
    private static func short(_ bound: Double) -> String {
        bound == bound.rounded() ? "\(Int(bound))" : "\(bound)"
    }

    // exact: the names are this program's own, in ASCII.
    private static func braced(_ labels: [String: String], bound: String? = nil) -> String {
        var parts = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value))\"" }
        if let bound { parts.append("le=\"\(bound)\"") }
        return parts.isEmpty ? "" : "{\(parts.joined(separator: ","))}"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
