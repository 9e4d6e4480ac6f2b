public import InclusionProofs
public import TFHE

/// What an operator decides about decryptions.
public struct DecryptionPolicy: Sendable {
    /// The contract whose word counts, and how it stores it.
    public var accessList: AccessList
    /// What the bytes of proofs are.
    public var proofForm = ProofForm.ics23
    /// How many blocks a proof may be behind the latest trusted header: a permission that was taken back can be replayed for
    /// so long.
    public var maximumAge: Int64 = 100
    /// Whether re-encryption needs the user's own typed signature; else generation GA's request key stands for the user.
    public var requiresUserAuthorization = true
    /// What authorisations must be for; nil if none are configured, and then they are refused.
    public var domain: UserAuthorization.Domain?
    /// Of requests that name no key; nil means the only one that is enabled.
    public var keyID: String?
    /// Of ciphertexts in generations GA and GB; nil means the generation's own.
    public var legacyFormat: CiphertextFormat?
    public var noiseLimit = NoiseLimit.quarter
    /// Longest ciphertext in bytes.
    public var maximumCiphertext = 4 << 20
    /// Questions a second of one caller; 0 for no bound.
    public var rate = 0

    public init(accessList: AccessList) { self.accessList = accessList }
}
