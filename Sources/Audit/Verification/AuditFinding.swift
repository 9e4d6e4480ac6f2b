/// The first thing that is wrong with a chain.
public struct AuditFinding: Sendable, Hashable, Encodable {
    /// What is wrong; a bounded set.
    public enum Code: String, Sendable, Encodable {
        /// A record's bytes are not those that were hashed, or no record's.
        case altered
        /// A record is not there, and a later one or its checkpoint is.
        case missing
        /// A record or checkpoint stands behind one of a higher index, or twice.
        case outOfOrder = "out-of-order"
        /// A record does not go on from the one before it.
        case brokenLink = "broken-link"
        /// A checkpoint is not the audit key's word, or not its word about this chain.
        case checkpoint
        /// The chain pins another audit key than the one asked for.
        case otherKey = "other-key"
        /// The chain ends before a head that is known.
        case truncated
        /// The chain is another one than the one whose head is known.
        case replaced
        /// The revocations are not counted or listed as the records say.
        case revocations
        /// A record states a lower epoch of the keystores' database than one before it.
        case storeEpoch = "store-epoch"
        /// The token's state was put back: its counter stands lower than the chain records.
        case olderToken = "older-token"
    }

    /// The first bad record.
    public var index: UInt64
    public var code: Code
    public var message: String
}
