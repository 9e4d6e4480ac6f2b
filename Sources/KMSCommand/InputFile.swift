import Foundation
import KMSDaemon

/// Reads what a verb is given, up to a bound.
enum InputFile {
    /// More than keys, receipts and heads of the audit chain ever have.
    static let longestDocument = 64 * 1024

    static func read(_ path: String, upTo limit: Int) throws -> [UInt8] {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            return try read(file, "'\(path)'", upTo: limit)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure(.usage, code: "file", "Could not read '\(path)': \(PlainReason.of(error)).")
        }
    }

    static func standardInput(upTo limit: Int) throws -> [UInt8] {
        try read(.standardInput, "standard input", upTo: limit)
    }

    private static func read(_ file: FileHandle, _ name: String, upTo limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try file.read(upToCount: limit + 1 - bytes.count), !part.isEmpty {
            bytes += part
            guard bytes.count <= limit else {
                throw CommandFailure(.failed, code: "file", "There are more than \(limit) bytes in \(name).")
            }
        }
        return bytes
    }
}
