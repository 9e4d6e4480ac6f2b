import Logging

/// Makes other people's words in log lines harmless before they are written: a record stays one line, in the order it is
/// written.
struct HarmlessLogHandler: LogHandler {
    var base: any LogHandler

    init(_ base: any LogHandler) { self.base = base }

    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue.mapValues(Self.harmless) }
    }

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue.map(Self.harmless) }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(TerminalEscaping.shown(event.message.description))"
        event.metadata = event.metadata?.mapValues(Self.harmless)
        base.log(event: event)
    }

    private static func harmless(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
        switch value {
        case .string(let text): .string(TerminalEscaping.shown(text))
        case .stringConvertible(let item): .string(TerminalEscaping.shown(item.description))
        case .array(let items): .array(items.map(harmless))
        case .dictionary(let items): .dictionary(items.mapValues(harmless))
        }
    }
}
