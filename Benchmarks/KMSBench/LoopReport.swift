import Foundation

/// One line of the report, in the units of the table: operations per second and microseconds.
struct LoopReport: Encodable {
    let operation: String
    let operations: Int
    let rate: Double
    let p50: Double
    let p99: Double
    /// Seconds.
    let elapsed: Double
    /// Processor time of this process for one operation; what other processes do disturbs it least.
    let cpu: Double

    /// - Parameters:
    ///   - elapsed: Seconds.
    ///   - cpu: Nanoseconds of processor time; see ``MonotonicClock/processorTime()``.
    ///   - durations: Of every turn, in nanoseconds.
    init(operation: String, elapsed: Double, cpu: UInt64, durations: [UInt32]) {
        let sorted = durations.sorted()
        func percentile(_ part: Double) -> Double {
            sorted.isEmpty ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1000
        }
        self.operation = operation
        self.operations = sorted.count
        self.elapsed = elapsed
        self.rate = Double(sorted.count) / elapsed
        self.p50 = percentile(0.5)
        self.p99 = percentile(0.99)
        self.cpu = sorted.isEmpty ? 0 : Double(cpu) / Double(sorted.count) / 1000
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
