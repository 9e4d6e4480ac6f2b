public import Audit
public import BearerTokens
import Keystores
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
    /// Whether `sign/txn` answers the whole transaction instead of its signature, as clients of the 1.17 generation
    /// expect.
    public var returnsTransactions: Bool

    public init(
        vault: VaultService?, authority: AuthorityService?, tokens: any BearerTokenVerifying,
        receipts: ReceiptIssuer? = nil, returnsTransactions: Bool = false
    ) {
        self.vault = vault
        self.authority = authority
        self.tokens = tokens
        self.receipts = receipts
        self.returnsTransactions = returnsTransactions
    }
}

extension SplitServices {
    /// Why a store could not be written now; empty if all could. Takes less than a second.
    func writeProblems() async -> [ReadinessProblem] {
        async let vault = vault?.writeProblem()
        async let authority = authority?.writeProblem()
        let found = await [("vault", vault), ("shares", authority)]
        return found.compactMap { name, problem in
            problem.map { ReadinessProblem(component: .store, message: "the split-key store '\(name)': \($0)") }
        }
    }
}
