import Encodings
import Logging

/// The daemon's log: the library's form of a line, at a bounded rate, through a writer that nobody waits for.
struct BoundedLogHandler: LogHandler {
    private var inner: StreamLogHandler
    private let rate: LineRate

    init(label: String, writer: LineWriter, rate: LineRate) {
        inner = StreamLogHandler(label: label, stream: LineStream(writer: writer))
        self.rate = rate
    }

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { inner.metadataProvider }
        set { inner.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        // Whoever asks for these wants all of them; the writer's bound holds.
        if event.level >= .info {
            let words = event.message.description
            let (isAdmitted, before) = rate.admit("\(event.file):\(event.line)", words: words)
            if before > 0 { inner.log(event: Self.told(before, words)) }
            guard isAdmitted else { return }
        }
        inner.log(event: event)
    }

    static func told(_ count: UInt64, _ words: String) -> LogEvent {
        LogEvent(
            level: .notice, message: "lines of one kind were left out", error: nil,
            metadata: ["lines": "\(count)", "kind": "\(words)"], source: "KMSDaemon", file: #fileID,
            function: #function, line: #line)
    }

    /// Writes a line for what has none behind it.
    func tellLeftOut() {
        for (words, count) in rate.takeUntold() { inner.log(event: Self.told(count, words)) }
    }
}

/// One line for each message, whatever is in it: it may hold a stranger's words.
private struct LineStream: TextOutputStream, Sendable {
    let writer: LineWriter

    func write(_ string: String) {
        let text = string.endsExactly(with: "\n") ? String(string.dropLast()) : string
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        writer.write((isPlain ? text : Self.oneLine(text)) + "\n")
    }

    private static func oneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
