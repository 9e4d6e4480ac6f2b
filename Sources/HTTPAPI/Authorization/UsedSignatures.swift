public import Capabilities

/// Which signatures were used, where each is accepted once (strict ZCAP, GNAP).
///
/// Ordinary ones are remembered in memory: after a restart their time is before the start, which refuses them. One that is
/// dated ahead of the clock would outlive that, so it is written to the database before its request is answered.
public struct UsedSignatures: Sendable {
    /// Nil: nothing survives a restart, as in tests that make none.
    public var ledger: (any SignatureLedger)?
    public var earlier: EarlierSignatures

    public init(ledger: (any SignatureLedger)? = nil, earlier: EarlierSignatures = .none) {
        self.ledger = ledger
        self.earlier = earlier
    }
}
