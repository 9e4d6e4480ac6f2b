public import Audit
public import BearerTokens
public import SplitKeys

/// The parts of the split-key front that this process runs.
public struct SplitServices: Sendable {
    /// Nil if another process is the vault.
    public var vault: VaultService?
    /// Nil if another process co-signs.
    public var authority: AuthorityService?
    public var tokens: any BearerTokenVerifying
    /// Signs receipts of co-signatures; nil if none are given.
    public var receipts: ReceiptIssuer?

    public init(
        vault: VaultService?, authority: AuthorityService?, tokens: any BearerTokenVerifying,
        receipts: ReceiptIssuer? = nil
    ) {
        self.vault = vault
        self.authority = authority
        self.tokens = tokens
        self.receipts = receipts
    }
}
