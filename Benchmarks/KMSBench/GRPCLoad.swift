import ArgumentParser
import CGRPCLoad
import Foundation

/// Asks the decryption API one question at many streams, at the pace of its answers or at one of its own.
struct GRPCLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grpc-load",
        abstract: "Load for a gRPC method, over one plain HTTP/2 connection.",
        discussion: "The first question that is refused ends the run. Prints one JSON object.")

    @Option(help: "Port on 127.0.0.1.")
    var port: UInt16

    @Option(help: "Method, such as /package.Service/Method.")
    var path: String

    @Option(help: "File with the encoded question.")
    var message: String

    @Option(help: "Where in the question 32 bytes lie that are other ones each time.")
    var idOffset: Int?

    @Option(help: "Questions at once, 1 to 64.")
    var streams = 1

    @Option(help: "Seconds in which questions begin.")
    var seconds = 3.0

    @Option(help: "Questions at most.")
    var most: UInt64 = 0

    @Option(help: "Questions a second, whatever becomes of them; without it the next one follows the answer.")
    var rate: Double = 0

    func validate() throws {
        guard (1...64).contains(streams) else { throw ValidationError("--streams must be 1 to 64") }
        guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds must be above 0 and at most 3600") }
        guard rate >= 0, rate <= 1_000_000 else { throw ValidationError("--rate must be at most a million") }
    }

    func run() throws {
        let question = [UInt8](try Data(contentsOf: URL(fileURLWithPath: message)))
        var durations = [UInt32](repeating: 0, count: 2_000_000)
        var report = kms_grpc_report()
        let code = path.withCString { path in
            question.withUnsafeBufferPointer { question in
                durations.withUnsafeMutableBufferPointer { durations in
                    var plan = kms_grpc_plan(
                        port: port, path: path, message: question.baseAddress, length: question.count,
                        id_offset: idOffset ?? -1, streams: Int32(streams), seconds: seconds, most: most, rate: rate)
                    report.durations = durations.baseAddress
                    report.capacity = durations.count
                    return kms_grpc_load(&plan, &report)
                }
            }
        }
        guard code == 0 else {
            let words = withUnsafeBytes(of: report.failure) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw BenchError("\(path): \(words) after \(report.answered) answers")
        }
        let answered = Int(min(report.answered, UInt64(durations.count)))
        StandardOutput.line(
            try LoopReport(
                operation: path, elapsed: report.elapsed, cpu: UInt64(report.cpu * 1e9),
                durations: Array(durations.prefix(answered))
            ).json())
    }
}
