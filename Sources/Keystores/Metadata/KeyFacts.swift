public import Token

/// What may be attested of a key: its authenticated record, and the device's word for a resident one.
public struct KeyFacts: Sendable, Hashable {
    public var metadata: KeyMetadata
    /// The primary version.
    public var version: KeyMetadata.Version
    /// What opens the keystore that seals the key.
    public var locks: [KeystoreMetadata.LockSlotSummary]
    /// Nil for a sealed key.
    public var evidence: ResidentKeyEvidence?

    public init(
        metadata: KeyMetadata, version: KeyMetadata.Version, locks: [KeystoreMetadata.LockSlotSummary],
        evidence: ResidentKeyEvidence?
    ) {
        self.metadata = metadata
        self.version = version
        self.locks = locks
        self.evidence = evidence
    }
}
