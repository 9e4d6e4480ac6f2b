import ArgumentParser
import HSMBridge
import TPMBridge
import Token

/// Asks a TPM for one thing again and again through the bridge, without HTTP.
struct TPMLoop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tpm-loop",
        abstract: "One operation through the bridge to a TPM, without HTTP.",
        discussion: "Provisions a TPM that holds nothing of kmsd's. Prints one JSON object.")

    @OptionGroup var place: BenchTPM.Options

    @Option(help: "Operation: \(BridgeOperation.allCases.map(\.rawValue).joined(separator: ", ")).")
    var operation: BridgeOperation

    @Option(help: "Requests at once.")
    var tasks = 1

    @Option(help: "Length of the run in seconds.")
    var seconds = 3.0

    func validate() throws {
        guard (1...256).contains(tasks) else { throw ValidationError("--tasks must be 1 to 256") }
        guard seconds > 0, seconds <= 600 else { throw ValidationError("--seconds must be above 0 and at most 600") }
    }

    func run() async throws {
        let token = try await BenchTPM.provisioned(place)
        let turn = try await operation.turn(on: token)
        let cpu = MonotonicClock.processorTime()
        let start = MonotonicClock.now()
        let deadline = start + UInt64(seconds * 1e9)
        let durations = try await withThrowingTaskGroup(of: [UInt32].self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var durations: [UInt32] = []
                    var begin = MonotonicClock.now()
                    while begin < deadline {
                        try await turn()
                        let end = MonotonicClock.now()
                        durations.append(UInt32(clamping: end &- begin))
                        begin = end
                    }
                    return durations
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let used = MonotonicClock.processorTime() - cpu
        let elapsed = Double(MonotonicClock.now() - start) / 1e9
        StandardOutput.line(
            try LoopReport(operation: operation.rawValue, elapsed: elapsed, cpu: used, durations: durations).json())
        await token.shutdown()
    }
}
