import Foundation

/// Runs another program as a stranger would and hands back what it printed.
public enum Command {
    public struct Result: Sendable {
        public var status: Int32
        public var output: [UInt8]
        public var errors: String

        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
    }

    /// Runs `program` (looked up in PATH) with `input` on its standard input and waits for its end.
    public static func run(
        _ program: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        // Files rather than pipes: neither side can block on a full pipe.
        let directory = try ScratchDirectory.make("command")
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = try ["in", "out", "err"].map { name in
            let url = directory.appendingPathComponent(name)
            try Data(name == "in" ? input : []).write(to: url)
            return url
        }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: [UInt8](try Data(contentsOf: files[1])),
            errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
    }

    /// Like ``run(_:_:input:environment:)``, but anything other than exit status 0 is an error.
    @discardableResult
    public static func succeed(
        _ program: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Result {
        let result = try run(program, arguments, input: input, environment: environment)
        guard result.status == 0 else {
            throw Failure(description: "\(program) ended with \(result.status): \(result.errors)\(result.text)")
        }
        return result
    }
}
