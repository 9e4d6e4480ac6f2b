public import Encodings

/// One `proof` member: an Ed25519Signature2018 over the canonical document and the canonical proof options.
public struct CapabilityProof: Codable, Sendable, Equatable {
    public static let suite = "Ed25519Signature2018"
    public static let delegation = "capabilityDelegation"

    public var capabilityChain: [ExactText]?
    /// RFC 3339, kept as text because it is signed as text.
    public var created: String
    public var jws: String?
    public var nonce: String?
    public var domain: String?
    public var challenge: String?
    public var proofPurpose: ExactText
    public var type: ExactText
    /// A did:key URL with fragment.
    public var verificationMethod: ExactText

    public init(
        created: String, nonce: String?, verificationMethod: String, capabilityChain: [String]? = nil,
        jws: String? = nil
    ) {
        self.created = created
        self.nonce = nonce
        self.verificationMethod = ExactText(verificationMethod)
        self.capabilityChain = capabilityChain?.map { ExactText($0) }
        self.jws = jws
        proofPurpose = ExactText(Self.delegation)
        type = ExactText(Self.suite)
    }
}
