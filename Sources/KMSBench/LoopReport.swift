import Foundation

/// One line of the report, in the units of the table: operations per second and microseconds.
struct LoopReport: Encodable {
    let operation: String
    let operations: Int
    let rate: Double
    let p50: Double
    let p99: Double

    /// - Parameter durations: Of every turn, in nanoseconds; `elapsed` in seconds.
    init(operation: String, elapsed: Double, durations: [UInt32]) {
        let sorted = durations.sorted()
        func percentile(_ part: Double) -> Double {
            sorted.isEmpty ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1000
        }
        self.operation = operation
        self.operations = sorted.count
        self.rate = Double(sorted.count) / elapsed
        self.p50 = percentile(0.5)
        self.p99 = percentile(0.99)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
