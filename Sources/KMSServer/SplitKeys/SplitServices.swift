public import BearerTokens
public import SplitKeys

/// The parts of the split-key front that this process runs.
public struct SplitServices: Sendable {
    /// Nil if another process is the vault.
    public var vault: VaultService?
    /// Nil if another process co-signs.
    public var authority: AuthorityService?
    public var tokens: any BearerTokenVerifying

    public init(vault: VaultService?, authority: AuthorityService?, tokens: any BearerTokenVerifying) {
        self.vault = vault
        self.authority = authority
        self.tokens = tokens
    }
}
