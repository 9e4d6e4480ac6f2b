public import Token

/// The states in which the keys of one installation work, each approved by a key of the TPM; `pcr-policy.json`.
///
/// Holds no secret: both blobs are encrypted by the TPM for itself, and the second opens only in an approved state. A
/// record that was changed opens nothing, because the TPM compares it with what the keys were made with.
public struct TPMPolicyRecord: Codable, Sendable, Equatable {
    /// One approved state.
    public struct Approval: Codable, Sendable, Equatable {
        public var bank: PCRSelection.Bank
        /// Hex, by register in decimal.
        public var values: [String: String]  // exact: names of banks and registers, this program's own.
        /// Hex: r ‖ s of the authorizing key.
        public var signature: String
    }

    /// More approved states than this are a mistake.
    public static let longestList = 16
    static let currentFormat = 1

    /// Format version; 1.
    public var format: Int
    /// The instance of the manifest.
    public var instance: String
    /// Hex: the blob of the authorizing key.
    public var authority: String
    /// Hex: the blob of the authorizing key's own authorization value, sealed under the policy itself.
    public var secret: String
    public var approvals: [Approval]
}

/// Where the record is kept.
///
/// - Concurrency: called on the TPM's own thread; may block.
public protocol TPMPolicyStore: Sendable {
    /// Nil if there is none.
    func read() throws(HSMError) -> TPMPolicyRecord?
    /// Replaces the record; a process that dies meanwhile leaves the old one or the new one.
    func write(_ record: TPMPolicyRecord) throws(HSMError)
}
