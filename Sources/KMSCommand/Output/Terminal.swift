import ArgumentParser
import Foundation
import Glibc
import KMSDaemon
import SecretMemory
import Synchronization

/// How a verb answers.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text, json
}

/// Standard output and standard error, written at once so that a pipe sees each line as it is made.
///
/// Lines quote others, such as controllers and labels of tokens; what could move the cursor or change the order of text
/// is written as an escape.
enum Terminal {
    private static let endsWithReader = Atomic<Bool>(false)

    /// From here on SIGPIPE ends a verb only where nobody reads its answer any more, as in `kmsd audit export | head`. A module or
    /// a connection whose other end is gone has an error of its own, which is told.
    static func keepPipesApart() {
        guard !ProcessSignals.isIgnored(SIGPIPE) else { return }
        ProcessSignals.ignore([SIGPIPE])
        endsWithReader.store(true, ordering: .relaxed)
    }

    /// After a write that failed: nobody reads any more, and there is nobody to tell.
    private static func readerIsGone() {
        if errno == EPIPE, endsWithReader.load(ordering: .relaxed) { ProcessSignals.end(by: SIGPIPE) }
    }

    static func print(_ line: String) { write(shown(line), to: STDOUT_FILENO) }

    static func complain(_ line: String) { write(shown(line), to: STDERR_FILENO) }

    /// A line for programs, byte for byte.
    static func print(exactly line: String) { write(line + "\n", to: STDOUT_FILENO) }

    /// A secret that its owner asked to see, from locked memory.
    static func print(secret: borrowing SecretBytes) {
        secret.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return readerIsGone() }
                rest = rest.dropFirst(count)
            }
        }
    }

    private static func shown(_ line: String) -> String { TerminalEscaping.shown(line, keeping: ["\n", "\t"]) + "\n" }

    /// One JSON document, keys sorted.
    static func print(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        print(exactly: TerminalEscaping.json(String(decoding: try encoder.encode(value), as: UTF8.self)))
    }

    /// A JSON array, or a line for each item.
    static func print<Item: Encodable>(_ items: [Item], as format: OutputFormat, line: (Item) -> String) throws {
        switch format {
        case .json: try print(json: items)
        case .text: for item in items { print(line(item)) }
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        if let writer = ServiceLog.writer(of: descriptor) { return writer.write(text) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return readerIsGone() }
            bytes = bytes.dropFirst(count)
        }
    }
}

/// What `--output json` prints when a verb fails.
struct FailureReport: Encodable {
    struct Content: Encodable {
        var code: String
        var message: String
    }
    var error: Content

    init(_ failure: CommandFailure) { error = Content(code: failure.code, message: failure.description) }
}
