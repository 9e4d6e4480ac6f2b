import KMSConfiguration
import Token

/// The token of another home that opens a lock slot of this one.
enum RecoveryToken {
    /// - Returns: The token, not connected yet; nil if none is configured.
    /// - Throws: ``ConfigurationError``, `HSMError`: what an operator must correct.
    static func make(_ settings: Configuration) throws -> (any TokenBackend)? {
        guard let other = try settings.ofRecoveryToken() else { return nil }
        try HomeDirectory.check(other.home)
        guard let manifest = try ManifestFile(home: other.home).read() else { throw LostManifest.missing(other) }
        let configuration = try BackendConfiguration(other, manifest: manifest)
        try configuration.checkPIN()
        return configuration.makeToken()
    }
}
