import ArgumentParser
import Foundation
import KMSConfiguration
import SecretMemory

/// The options every verb has.
struct CommonOptions: ParsableArguments {
    @Option(name: .customLong("home"), help: .setting("home")) var home: String?
    @Option(name: .customLong("config"), help: .setting("config")) var config: String?
    @Option(name: .customLong("output"), help: "text or json.") var output: OutputFormat = .text
    @Option(name: .customLong("credentials-directory"), help: .setting("credentials-directory"))
    var credentialsDirectory: String?
    @Option(name: .customLong("credentials-world-readable"), help: .setting("credentials-world-readable"))
    var credentialsWorldReadable: String?
    @Option(name: .customLong("token-uri"), help: .setting("token-uri")) var tokenURI: String?
    @Option(name: .customLong("token-module-init-file"), help: .setting("token-module-init-file"))
    var tokenModuleInitFile: String?
    @Option(name: .customLong("database-url"), help: .setting("database-url")) var databaseURL: String?
    @Option(name: .customLong("log-level"), help: .setting("log-level")) var logLevel: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "home": home, "config": config, "token-uri": tokenURI, "token-module-init-file": tokenModuleInitFile,
            "database-url": databaseURL, "log-level": logLevel, "credentials-directory": credentialsDirectory,
            "credentials-world-readable": credentialsWorldReadable,
        ]
        return all.compactMapValues { $0 }
    }

    /// What flags, environment and file say together.
    // exact: names of settings and members, this program's own.
    func configuration(adding more: [String: String] = [:]) throws -> Configuration {
        let environment = ProcessInfo.processInfo.environment
        // Named outside the file, because the file itself may be a credential.
        let credentials = CredentialOptions.directory(credentialsDirectory, environment)
        CredentialDirectory.use(path: credentials)
        let settings = try Configuration(
            flags: flags.merging(more) { _, new in new }, environment: environment,
            directory: FileManager.default.currentDirectoryPath)
        CredentialDirectory.use(path: credentials, allowsWorldReadable: settings.takesWorldReadableCredentials)
        return settings
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
