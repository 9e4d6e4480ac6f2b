/// What is allowed to be how large, checked before anything is allocated for it.
///
/// Source: CometBFT, `types/validator_set.go` (power), `types/vote_set.go` (votes), `types/genesis.go` (chain id).
public enum ChainLimits {
    /// One reply of a node, bytes. A commit of 10,000 signatures takes about 2.5 MiB.
    public static let replyLength = 4 << 20
    /// Validators in a set, and signatures in a commit.
    public static let validators = 10_000
    /// Validators in one page of a reply.
    public static let pageLength = 100
    /// The sum of a set's powers: an eighth of what 64 signed bits hold.
    public static let totalPower = Int64.max / 8
    /// UTF-8 bytes.
    public static let chainIDLength = 50
    /// An application may commit to its state with any bytes; Cosmos uses 32.
    public static let appHashLength = 64
    static let hashLength = 32
    static let addressLength = 20
    static let signatureLength = 64
    static let keyLength = 32
    /// The block protocol whose header has these fourteen parts.
    static let blockProtocol: UInt64 = 11
}
