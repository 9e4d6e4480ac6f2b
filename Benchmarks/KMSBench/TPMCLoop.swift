import ArgumentParser
import CTPMYardstick

/// Calls a TPM in a tight loop in C, through the TSS alone: what the bridge is compared with.
struct TPMCLoop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tpm-c-loop",
        abstract: "ESAPI loop in C: the rate the bridge to a TPM is compared with.",
        discussion: "Makes its own key and removes it. Prints one JSON object.")

    @Option(help: "The TSS's name of the TPM, such as swtpm:path=/run/s.")
    var tcti: String

    @Option(help: "Operation: \(TPMOperation.allCases.map(\.rawValue).joined(separator: ", ")).")
    var operation: TPMOperation

    @Flag(help: "Authorize in an HMAC session that encrypts parameters, as the daemon does, instead of in the clear.")
    var encrypted = false

    @Flag(help: "Keep the key at a persistent handle, as the daemon's role keys are, instead of loaded.")
    var persistent = false

    @Option(help: "Length of the run in seconds.")
    var seconds = 3.0

    func validate() throws {
        guard seconds > 0, seconds <= 600 else { throw ValidationError("--seconds must be above 0 and at most 600") }
    }

    func run() throws {
        var failure = [CChar](repeating: 0, count: 256)
        let handle: UInt32 = persistent ? 0x8102_0000 : 0
        let opened = kms_tpm_loop_open(tcti, operation.number, encrypted ? 1 : 0, handle, &failure, failure.count)
        guard let loop = opened else {
            let bytes = failure.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw BenchError("\(tcti): \(String(decoding: bytes, as: UTF8.self))")
        }
        defer { kms_tpm_loop_close(loop) }
        var durations: [UInt32] = []
        durations.reserveCapacity(1_000_000)
        let cpu = MonotonicClock.processorTime()
        let start = MonotonicClock.now()
        let deadline = start + UInt64(seconds * 1e9)
        var turn = start
        while turn < deadline {
            let code = kms_tpm_loop_turn(loop)
            guard code == 0 else { throw BenchError("\(operation.rawValue) answered 0x\(String(code, radix: 16))") }
            let end = MonotonicClock.now()
            durations.append(UInt32(clamping: end &- turn))
            turn = end
        }
        let used = MonotonicClock.processorTime() - cpu
        let elapsed = Double(turn - start) / 1e9
        StandardOutput.line(
            try LoopReport(operation: operation.rawValue, elapsed: elapsed, cpu: used, durations: durations).json())
    }
}
