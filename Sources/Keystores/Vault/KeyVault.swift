/// A place of the user's outside the daemon where the sealed bytes of a keystore's keys are kept.
///
/// Every method throws ``KMSError``: `.upstreamFailed` when the vault's server is away, refuses or gives back another
/// thing than was stored, and what the daemon's own signing key throws.
///
/// - Concurrency: any number of calls at once; each ends within a bounded time.
public protocol KeyVault: Sendable {
    /// What was stored for a key, or nil. That it is this key's is checked as far as the vault's format can tell; the
    /// caller authenticates the content.
    func read(_ key: String) async throws -> [UInt8]?
    /// Stores what is kept of a key, in place of what was. After an error the vault has the old, the new, or nothing.
    func write(_ value: [UInt8], for key: String) async throws
    /// Removes what is kept of a key; nothing is fine too.
    func remove(_ key: String) async throws
    /// Proves that the vault can be called with the daemon's capability.
    func probe() async throws
}
