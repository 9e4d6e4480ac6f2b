public import Token

/// What the daemon says of one version of a key, and what the device says of it. The audit key signs it.
public struct AttestationStatement: Codable, Sendable, Hashable {
    /// Where the working key's sealed bytes can be opened from: one slot of the keystore's lock record.
    public struct Lock: Codable, Sendable, Hashable {
        /// Kind of lock, such as `token`.
        public var kind: String
        /// Which lock of that kind; a token's names the token and its root lock key.
        public var identity: String

        public init(kind: String, identity: String) {
            self.kind = kind
            self.identity = identity
        }
    }

    /// `TPM2_Certify`, every member as the TPM marshals it.
    public struct Certification: Codable, Sendable, Hashable {
        public var publicArea: HexBytes
        public var attest: HexBytes
        public var signature: HexBytes
        public var attestationKey: HexBytes

        enum CodingKeys: String, CodingKey {
            case publicArea = "public"
            case attest, signature
            case attestationKey = "attestation_key"
        }

        public init(_ evidence: TPMEvidence) {
            publicArea = HexBytes(evidence.publicArea)
            attest = HexBytes(evidence.attest)
            signature = HexBytes(evidence.signature)
            attestationKey = HexBytes(evidence.attestationKey)
        }
    }

    /// Exactly one member is there: the device's words for a resident key, the locks for a sealed one.
    public struct Evidence: Codable, Sendable, Hashable {
        public var pkcs11: PKCS11Evidence?
        public var tpm: Certification?
        public var locks: [Lock]?

        public init(_ evidence: ResidentKeyEvidence) {
            switch evidence {
            case .pkcs11(let evidence): pkcs11 = evidence
            case .tpm(let evidence): tpm = Certification(evidence)
            }
        }

        public init(locks: [Lock]) { self.locks = locks }
    }

    /// The form; 1.
    public var version: Int
    /// The daemon's installation: 16 bytes in hex, as in its manifest.
    public var instance: String
    /// The provisioned device.
    public var token: TokenIdentity
    /// The audit key's SubjectPublicKeyInfo.
    public var auditKey: HexBytes
    public var keystore: String
    public var key: String
    /// Of the key, from 1.
    public var keyVersion: UInt64
    /// A key type's name, such as `ED25519`.
    public var keyType: String
    /// When the version was made, milliseconds since 1970.
    public var created: Int64
    /// In the type's export form; nil for symmetric keys.
    public var publicKey: HexBytes?
    /// SHA-256 of ``publicKey``.
    public var fingerprint: HexBytes?
    /// `resident` or `sealed`.
    public var protection: String
    /// `born-in-token`, `born-in-daemon`, `imported` or `migrated`.
    public var provenance: String
    public var evidence: Evidence
    /// Of whoever asked; 16 to 64 bytes.
    public var nonce: HexBytes
    /// Milliseconds since 1970.
    public var time: Int64

    enum CodingKeys: String, CodingKey {
        case version, instance, token, keystore, key, created, fingerprint, protection, provenance, evidence, nonce,
            time
        case auditKey = "audit_key"
        case keyVersion = "key_version"
        case keyType = "key_type"
        case publicKey = "public_key"
    }

    public init(
        instance: String, token: TokenIdentity, auditKey: [UInt8], keystore: String, key: String, keyVersion: UInt64,
        keyType: String, created: Int64, publicKey: [UInt8]?, fingerprint: [UInt8]?, protection: String,
        provenance: String, evidence: Evidence, nonce: [UInt8], time: Int64
    ) {
        version = 1
        self.instance = instance
        self.token = token
        self.auditKey = HexBytes(auditKey)
        self.keystore = keystore
        self.key = key
        self.keyVersion = keyVersion
        self.keyType = keyType
        self.created = created
        self.publicKey = publicKey.map { HexBytes($0) }
        self.fingerprint = fingerprint.map { HexBytes($0) }
        self.protection = protection
        self.provenance = provenance
        self.evidence = evidence
        self.nonce = HexBytes(nonce)
        self.time = time
    }
}
