import ArgumentParser
import Foundation
import KMSConfiguration
import SecretMemory

/// Where `credential:NAME` is looked up, for verbs that read no configuration file.
struct CredentialOptions: ParsableArguments {
    @Option(name: .customLong("credentials-directory"), help: .setting("credentials-directory"))
    var directory: String?
    @Option(name: .customLong("credentials-world-readable"), help: .setting("credentials-world-readable"))
    var worldReadable: String?

    /// From here on credentials are looked up there.
    ///
    /// - Throws: ``ConfigurationError`` naming the flag or variable.
    func use() throws(ConfigurationError) { try Self.use(directory, worldReadable) }

    /// The same for the options that the other verbs have.
    static func use(_ common: CommonOptions) throws(ConfigurationError) {
        try use(common.credentialsDirectory, common.credentialsWorldReadable)
    }

    private static func use(_ directory: String?, _ worldReadable: String?) throws(ConfigurationError) {
        let environment = ProcessInfo.processInfo.environment
        let named = try value("credentials-directory", directory, environment)
        let readable = try value("credentials-world-readable", worldReadable, environment)
        CredentialDirectory.use(path: named, allowsWorldReadable: readable.flatMap(ConfigurationKey.truth) == true)
    }

    /// What the flag says, or the variable; one that is empty says nothing.
    // exact: names of settings and members, this program's own.
    static func directory(_ flag: String?, _ environment: [String: String]) -> String? {
        [flag, environment["KMS_CREDENTIALS_DIRECTORY"]].compactMap { $0 }.first { !$0.isEmpty }
    }

    private static func value(
        // exact: names of settings and members, this program's own.
        _ name: String, _ flag: String?, _ environment: [String: String]
    ) throws(ConfigurationError) -> String? {
        guard let key = ConfigurationKey.byName[name] else { preconditionFailure("no setting is called '\(name)'") }
        let given = [(flag, "--\(name)"), (environment[key.environment], key.environment)]
            .first { $0.0?.isEmpty == false }
        guard let (text, origin) = given, let text else { return nil }
        guard let value = key.normalized(text) else {
            throw ConfigurationError("\(origin): expected \(key.expectation)")
        }
        return value
    }
}
