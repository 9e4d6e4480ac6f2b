package import KMSConfiguration
import Token

/// A home whose manifest is gone while what depends on it is still there: the keys that its records were sealed with are
/// on the token, and only the manifest says which they are.
package enum LostManifest {
    /// What of the home was made with a manifest, or may have been; empty in a home that never served.
    package static func remains(_ settings: Configuration) -> [String] {
        [
            settings.databasePath, AuditParts.path(home: settings.home), Application.vaultPath(home: settings.home),
            Application.sharesPath(home: settings.home), Application.decryptionPath(home: settings.home),
            settings.home + "/pcr-policy.json",
        ].filter { FilePresence.exists($0) }
    }

    /// What a verb says that needs the manifest.
    package static func missing(_ settings: Configuration) -> ConfigurationError {
        let remains = remains(settings)
        guard !remains.isEmpty else {
            return ConfigurationError(
                "'\(settings.manifestPath)' is not there: run `kmsd init` once, with the same settings")
        }
        return ConfigurationError(words(settings, remains))
    }

    package static func words(_ settings: Configuration, _ remains: [String]) -> String {
        let files = remains.map { "'\($0)'" }.joined(separator: ", ")
        return "'\(settings.manifestPath)' is lost, but \(files) \(remains.count == 1 ? "is" : "are") there: new keys "
            + "open nothing of it. Restore manifest.json of this installation from the backup"
    }

    package static let remedy =
        "restore manifest.json from the backup; do not run `kmsd init` (docs/operator.md, dead ends)"
}
