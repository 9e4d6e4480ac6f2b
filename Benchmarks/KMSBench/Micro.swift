import ArgumentParser
import Foundation

/// Times the parts of a request in process, so that the figures of the routes can be explained.
struct Micro: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "micro",
        abstract: "In-process parts of a request, in nanoseconds.",
        discussion: "Each figure is the smallest mean of many short batches. Prints one JSON object per line.")

    @Option(help: "Token URI with module-path and pin-source, for the cells that need a token.")
    var tokenURI: String

    func run() async throws {
        try JSONCells.measure()
        try SecretCells.measure()
        try CryptoCells.measure()
        try PairingCells.measure()
        try MessageListCells.measure()
        try CapabilityCells.measure()
        try await TokenCells.measure(uri: tokenURI)
        try await AnchorCells.measure(uri: tokenURI)
    }
}

/// One in-process figure.
struct MicroCell: Encodable {
    let name: String
    let nanoseconds: Double

    func report() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        StandardOutput.line(String(decoding: try encoder.encode(self), as: UTF8.self))
    }
}

/// Repeats short batches and keeps the best, which is the one no other process disturbed.
enum BatchTimer {
    static func measure(_ name: String, turns: Int = 50, batches: Int = 400, _ body: () throws -> Void) throws {
        var best = UInt64.max
        for _ in 0..<batches {
            let start = MonotonicClock.now()
            for _ in 0..<turns { try body() }
            best = min(best, MonotonicClock.now() - start)
        }
        try MicroCell(name: name, nanoseconds: Double(best) / Double(turns)).report()
    }

    static func measure(
        _ name: String, turns: Int = 20, batches: Int = 200, _ body: () async throws -> Void
    ) async throws {
        var best = UInt64.max
        for _ in 0..<batches {
            let start = MonotonicClock.now()
            for _ in 0..<turns { try await body() }
            best = min(best, MonotonicClock.now() - start)
        }
        try MicroCell(name: name, nanoseconds: Double(best) / Double(turns)).report()
    }
}
