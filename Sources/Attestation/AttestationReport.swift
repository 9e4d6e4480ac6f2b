import Audit
import Encodings
public import Token

/// What an attestation says, whether it holds, and on whose word.
public struct AttestationReport: Encodable, Sendable {
    /// The first thing that is wrong; nil if nothing is.
    public internal(set) var finding: AttestationFinding? { didSet { isGood = finding == nil } }
    public private(set) var isGood = true
    public let instance: String
    public let token: TokenIdentity
    public let keystore: String
    public let key: String
    public let keyVersion: UInt64
    public let keyType: String
    /// SHA-256 of the public key in its export form, in hex; nil for symmetric keys.
    public let fingerprint: String?
    public let protection: String
    public let provenance: String
    public let locks: [AttestationStatement.Lock]
    /// Milliseconds since 1970.
    public let time: Int64
    public let nonce: String
    /// SHA-256 of the audit key's SubjectPublicKeyInfo in hex.
    public let auditKey: String
    /// Whether the audit key was known before; otherwise it is the attestation's own word.
    public internal(set) var auditKeyIsExpected = false
    /// The same of the TPM's attestation key; nil if no TPM certified the key.
    public internal(set) var attestationKey: String?
    public internal(set) var attestationKeyIsExpected = false
    /// Whose word the protection rests on: `tpm`, `token` or `daemon`.
    public let basis: String

    init(_ statement: AttestationStatement) {
        instance = statement.instance
        token = statement.token
        keystore = statement.keystore
        key = statement.key
        keyVersion = statement.keyVersion
        keyType = statement.keyType
        fingerprint = statement.fingerprint.map { Hexadecimal.encode($0.bytes) }
        protection = statement.protection
        provenance = statement.provenance
        locks = statement.evidence.locks ?? []
        time = statement.time
        nonce = Hexadecimal.encode(statement.nonce.bytes)
        auditKey = (try? AuditPublicKey(subjectPublicKeyInfo: statement.auditKey.bytes))?.fingerprint ?? ""
        basis = statement.evidence.tpm != nil ? "tpm" : statement.evidence.pkcs11 != nil ? "token" : "daemon"
    }
}
