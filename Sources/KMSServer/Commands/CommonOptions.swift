import ArgumentParser
import Foundation

/// The options every verb has.
struct CommonOptions: ParsableArguments {
    @Option(name: .customLong("home"), help: .setting("home")) var home: String?
    @Option(name: .customLong("config"), help: .setting("config")) var config: String?
    @Option(name: .customLong("output"), help: "text or json.") var output: OutputFormat = .text
    @Option(name: .customLong("token-uri"), help: .setting("token-uri")) var tokenURI: String?
    @Option(name: .customLong("database-url"), help: .setting("database-url")) var databaseURL: String?
    @Option(name: .customLong("log-level"), help: .setting("log-level")) var logLevel: String?

    /// By setting name.
    var flags: [String: String] {
        ["home": home, "config": config, "token-uri": tokenURI, "database-url": databaseURL, "log-level": logLevel]
            .compactMapValues { $0 }
    }

    /// What flags, environment and file say together.
    func configuration(adding more: [String: String] = [:]) throws -> Configuration {
        try Configuration(
            flags: flags.merging(more) { _, new in new }, environment: ProcessInfo.processInfo.environment,
            directory: FileManager.default.currentDirectoryPath)
    }
}

extension ArgumentHelp {
    /// The catalogue's words, environment variable and default.
    static func setting(_ name: String) -> ArgumentHelp {
        guard let key = ConfigurationKey.byName[name] else { preconditionFailure("no setting is called '\(name)'") }
        var text = key.summary + " [\(key.environment)]"
        if let standard = key.standard, !standard.isEmpty { text += " (default: \(standard))" }
        return ArgumentHelp(stringLiteral: text)
    }
}
