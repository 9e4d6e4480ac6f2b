/// How strict the co-signing role is, and its bounds.
public struct SplitConfiguration: Sendable, Hashable {
    public enum Profile: String, Sendable, CaseIterable {
        /// Strict for keys this daemon's vault made, 0Chain's tolerances for rows set up from outside.
        case compat
        /// For all keys: hashes computed again, groups bound to their contracts, bare hashes signed only where a key
        /// allows it.
        case strict
    }

    public var profile: Profile = .compat
    /// How long an opened share stays in locked memory; zero asks the token for every signature.
    public var shareTTL: Duration = .seconds(600)
    /// Most opened shares held at once.
    public var shareCacheSize: Int = 4_096
    /// Signatures per second and key; 0 for no bound. A key may save up as many for a burst.
    public var signaturesPerSecond: Int = 0
    /// Wrong halves per second that are looked at, of one address and for one key; 0 for no bound.
    public var wrongHalvesPerSecond: Int = 10
    /// Most split keys of one wallet.
    public var maximumKeysPerWallet: Int = 1_000_000

    public init() {}
}
