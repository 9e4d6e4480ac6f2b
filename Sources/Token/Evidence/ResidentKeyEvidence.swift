/// What a device says of a resident key at this moment, in its own words.
public enum ResidentKeyEvidence: Sendable, Hashable {
    /// Attributes as the token tells them. Nothing in PKCS #11 lets somebody else check that it said so.
    case pkcs11(PKCS11Evidence)
    /// A statement that the TPM signed.
    case tpm(TPMEvidence)
}

/// What a PKCS #11 token says of a key that is unwrapped in it, and of the key that it is wrapped under.
public struct PKCS11Evidence: Codable, Sendable, Hashable {
    public var key: PKCS11KeyAttributes
    public var wrappingKey: PKCS11KeyAttributes
    /// Attributes, such as `CKA_LOCAL`, that the module does not set on keys that it makes either, and which say nothing
    /// here; nil if there are none.
    public var untold: [String]?

    enum CodingKeys: String, CodingKey {
        case key
        case wrappingKey = "wrapping_key"
        case untold
    }

    public init(key: PKCS11KeyAttributes, wrappingKey: PKCS11KeyAttributes, untold: [String]? = nil) {
        self.untold = untold
        self.key = key
        self.wrappingKey = wrappingKey
    }
}

/// A certification by a TPM (TPM 2.0 Library part 3, `TPM2_Certify`); every member as the TPM marshals it.
public struct TPMEvidence: Sendable, Hashable {
    /// `TPMT_PUBLIC` of the certified key.
    public var publicArea: [UInt8]
    /// `TPMS_ATTEST`.
    public var attest: [UInt8]
    /// `TPMT_SIGNATURE` over ``attest`` by the attestation key.
    public var signature: [UInt8]
    /// `TPMT_PUBLIC` of the attestation key.
    public var attestationKey: [UInt8]

    public init(publicArea: [UInt8], attest: [UInt8], signature: [UInt8], attestationKey: [UInt8]) {
        self.publicArea = publicArea
        self.attest = attest
        self.signature = signature
        self.attestationKey = attestationKey
    }
}
