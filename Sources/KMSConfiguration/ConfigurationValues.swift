import Encodings

/// The texts of all settings after flags, environment and file have been laid over each other, with where each came
/// from. A value's type is checked here, once, for all three.
struct ConfigurationValues: Sendable {
    struct Value: Sendable, Equatable {
        var text: String
        /// For messages: `--lock-ttl`, `KMS_LOCK_TTL` or `kmsd.yaml:3`.
        var origin: String
    }

    private var values: [String: Value] = [:]  // exact: names of settings, which the catalogue writes in ASCII.
    /// Settings that were accepted and have no effect, each with its reason.
    private(set) var notices: [String] = []

    /// Merges the three layers; flags win over environment, environment over file.
    ///
    /// - Parameters:
    ///   - flags: By setting name.
    ///   - environment: All variables; an empty one counts as not given. An unknown name that begins with `KMS_` or
    ///     `KMSD_` is refused.
    ///   - file: Entries of a file and its name for messages.
    init(
        // exact: names of settings, which the catalogue writes in ASCII.
        flags: [String: String], environment: [String: String],
        // exact: names of settings, which the catalogue writes in ASCII.
        file: (name: String, entries: [String: ConfigurationFile.Entry])?
    ) throws(ConfigurationError) {
        if let file {
            for (name, entry) in file.entries {
                values[name] = Value(text: entry.text, origin: "'\(name)' (\(file.name):\(entry.line))")
            }
        }
        try Self.refuseUnknown(environment)
        for key in ConfigurationKey.catalogue {
            // An empty variable is how Compose files and templates write "not given".
            if let text = environment[key.environment], !text.isEmpty {
                values[key.name] = Value(text: text, origin: key.environment)
            }
            if let text = flags[key.name] { values[key.name] = Value(text: text, origin: "--\(key.name)") }
        }
        for key in ConfigurationKey.catalogue { try check(key) }
    }

    func text(_ name: String) -> String? { values[name]?.text }

    func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    func byteCount(_ name: String) -> Int? { text(name).flatMap { ByteCountText.parse($0) } }

    func duration(_ name: String) -> Duration? { text(name).flatMap { DurationText.parse($0) } }

    func boolean(_ name: String) -> Bool? { text(name).map { $0 == "true" } }

    /// How a setting was given, for messages.
    func origin(_ name: String) -> String { values[name]?.origin ?? "'\(name)'" }

    private mutating func check(_ key: ConfigurationKey) throws(ConfigurationError) {
        guard let value = values[key.name] else { return }
        // Kinds without an empty value take an empty text of a flag or the file as absence.
        if value.text.isEmpty, key.normalized("") == nil {
            values[key.name] = nil
            return
        }
        guard let text = key.normalized(value.text) else {
            throw ConfigurationError("\(value.origin): expected \(key.expectation)")
        }
        values[key.name]?.text = text
        switch key.effect {
        case .honoured: break
        case .ineffective(let reason): notices.append("\(value.origin) has no effect: \(reason)")
        case .refused(let allowed, let reason):
            guard allowed.contains(value.text) else {
                throw ConfigurationError("\(value.origin) is refused: \(reason)")
            }
        }
    }

    /// The message for a name that nobody knows.
    static func unknown(_ name: String) -> String {
        let nearest = NearestName.of(name, among: ConfigurationKey.catalogue.map(\.name))
        return "unknown key '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    }

    // exact: names of settings, which the catalogue writes in ASCII.
    private static func refuseUnknown(_ environment: [String: String]) throws(ConfigurationError) {
        let known = Set(ConfigurationKey.catalogue.map(\.environment))
        for name in environment.keys.sorted()
        where name.startsExactly(with: "KMS_") || name.startsExactly(with: "KMSD_") {
            // The variables of TrustBloc's command-line client may stand beside the server's.
            if environment[name]?.isEmpty == true { continue }
            if known.contains(name) || name.startsExactly(with: "KMS_CLI_") || name.isExactly("KMS_KEY_TYPE") {
                continue
            }
            // Variables of the scripts around the daemon.
            if name.isExactly("KMSD_BIN") || name.startsExactly(with: "KMSD_TEST_") { continue }
            let nearest = NearestName.of(name, among: known.sorted())
            throw ConfigurationError(
                "unknown environment variable \(name)" + (nearest.map { "; did you mean \($0)?" } ?? ""))
        }
    }
}
