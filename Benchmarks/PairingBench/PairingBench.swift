import CYardstick
import Pairing

/// Times the pairing library beside a C loop of Montgomery multiplications, and prints a table, or JSON with `--json`.
@main
enum PairingBench {
    struct Row {
        let name: String
        let nanoseconds: Double
    }

    static func main() throws {
        var rows: [Row] = [
            measure("C yardstick: BLS12-381 multiplication", count: 20_000) { kms_yardstick_bls12381(20_000) },
            measure("C yardstick: BN254 multiplication", count: 20_000) { kms_yardstick_bn254(20_000) },
        ]
        for probe in FieldProbe.allCases {
            rows.append(measure("\(probe.rawValue) multiplication", count: 20_000) { probe.multiply(count: 20_000) })
        }
        for probe in try PairingProbe.all() {
            rows.append(
                measure(probe.name, count: probe.runs) {
                    for _ in 0..<probe.runs { probe.run() }
                    return 0
                })
        }
        print(CommandLine.arguments.contains("--json") ? json(rows) : table(rows))
    }

    /// The best of many samples: the machine may be busy, and only the floor belongs to the code.
    static func measure(_ name: String, count: Int, _ body: () -> UInt64) -> Row {
        let clock = ContinuousClock()
        var best = Duration.seconds(1_000)
        var sink: UInt64 = 0
        for _ in 0..<40 { best = min(best, clock.measure { sink ^= body() }) }
        let nanoseconds = Double(best.components.attoseconds) / 1e9 + Double(best.components.seconds) * 1e9
        return Row(name: sink == 1 ? name + " " : name, nanoseconds: nanoseconds / Double(count))
    }

    static func table(_ rows: [Row]) -> String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { row in
            let number = decimal(row.nanoseconds)
            let padding = String(repeating: " ", count: width - row.name.count + max(1, 14 - number.count))
            return row.name + padding + number + " ns"
        }.joined(separator: "\n")
    }

    static func json(_ rows: [Row]) -> String {
        let entries = rows.map { "  {\"name\": \"\($0.name)\", \"nanoseconds\": \(decimal($0.nanoseconds))}" }
        return "[\n" + entries.joined(separator: ",\n") + "\n]"
    }

    /// One digit after the point.
    static func decimal(_ value: Double) -> String {
        let tenths = Int(value * 10 + 0.5)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
