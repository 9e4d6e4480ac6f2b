import Audit
import LibCrypto
import Token

/// Checks attestations. Needs neither daemon nor token.
public struct AttestationVerifier: Sendable {
    /// What the key must be.
    public enum Requirement: String, Sendable, CaseIterable, Codable {
        /// Its private half is used inside the token only.
        case resident
        /// It was made in this token or by this daemon, so no caller ever had it.
        case bornHere = "born-here"
    }

    /// SHA-256 of the audit key's SubjectPublicKeyInfo in hex; nil if it is not known.
    public var auditKey: String?
    /// Whether the audit key that the statement names is taken for the right one if none is known.
    public var acceptsAnyAuditKey = false
    /// SHA-256 of the TPM's attestation key's SubjectPublicKeyInfo in hex; nil takes the one that the statement names,
    /// for which then only the audit key vouches.
    public var attestationKey: String?
    /// Nil accepts every nonce; then nothing tells when the attestation was made, but its own word.
    public var nonce: [UInt8]?
    public var requirements: Set<Requirement> = []

    public init() {}

    public func verify(_ attestation: SignedAttestation) -> AttestationReport {
        var report = AttestationReport(attestation.statement)
        report.auditKeyIsExpected = auditKey != nil
        do throws(AttestationFinding) {
            try check(attestation, &report)
        } catch {
            report.finding = error
        }
        return report
    }

    private func check(
        _ attestation: SignedAttestation, _ report: inout AttestationReport
    ) throws(AttestationFinding) {
        let statement = attestation.statement
        try checkSignature(attestation)
        guard SignedAttestation.nonceLengths.contains(statement.nonce.bytes.count),
            nonce == nil || nonce == statement.nonce.bytes
        else { throw AttestationFinding(.nonce, "The attestation was made for another nonce.") }
        let digest = statement.publicKey.flatMap { try? Digest.sha256($0.bytes) }
        guard digest == statement.fingerprint?.bytes else {
            throw AttestationFinding(.contradiction, "The fingerprint is not the public key's.")
        }
        try checkClaims(statement)
        if let certification = statement.evidence.tpm {
            report.attestationKey = try TPMEvidenceCheck(
                statement: statement, certification: certification, expectedKey: attestationKey
            ).run()
            report.attestationKeyIsExpected = attestationKey != nil
        } else if attestationKey != nil, statement.protection == Origin.resident {
            throw AttestationFinding(.attestationKey, "No TPM certified this key.")
        }
        if let evidence = statement.evidence.pkcs11 {
            try AttributesCheck(keyType: statement.keyType, evidence: evidence).run()
        }
        try checkRequirements(statement)
    }

    private func checkSignature(_ attestation: SignedAttestation) throws(AttestationFinding) {
        guard let key = try? AuditPublicKey(subjectPublicKeyInfo: attestation.statement.auditKey.bytes) else {
            throw AttestationFinding(.auditKey, "The audit key is no P-256 key in the form of RFC 5480.")
        }
        if let auditKey {
            guard key.fingerprint == auditKey else {
                throw AttestationFinding(
                    .auditKey, "Another audit key than the expected one signed: \(key.fingerprint).")
            }
        } else if !acceptsAnyAuditKey {
            throw AttestationFinding(
                .auditKeyUnknown, "Nothing says whose audit key may sign; this one names \(key.fingerprint).")
        }
        let message = SignedAttestation.signed(attestation.statement)
        guard (try? key.key.verify(attestation.signature.bytes, message: message, encoding: .p1363)) ?? false else {
            throw AttestationFinding(.signature, "The audit key did not sign this statement.")
        }
    }

    /// What an honest daemon never says together.
    private func checkClaims(_ statement: AttestationStatement) throws(AttestationFinding) {
        let evidence = statement.evidence
        switch (statement.protection, statement.provenance) {
        case (Origin.resident, Origin.bornInToken), (Origin.resident, Origin.migrated):
            guard (evidence.pkcs11 == nil) != (evidence.tpm == nil), evidence.locks == nil else {
                throw AttestationFinding(.contradiction, "A resident key comes with the device's word, and that alone.")
            }
        case (Origin.sealed, Origin.bornInDaemon), (Origin.sealed, Origin.imported), (Origin.sealed, Origin.migrated):
            guard evidence.pkcs11 == nil, evidence.tpm == nil, evidence.locks?.isEmpty == false else {
                throw AttestationFinding(.contradiction, "A sealed key comes with its locks, and those alone.")
            }
        default:
            throw AttestationFinding(
                .contradiction,
                "No key is '\(Self.word(statement.protection))' and '\(Self.word(statement.provenance))'.")
        }
    }

    private func checkRequirements(_ statement: AttestationStatement) throws(AttestationFinding) {
        if requirements.contains(.resident), statement.protection != Origin.resident {
            throw AttestationFinding(
                .notResident, "The key is \(statement.protection): it is used in the daemon's memory, not in the token."
            )
        }
        if requirements.contains(.bornHere),
            statement.provenance != Origin.bornInToken, statement.provenance != Origin.bornInDaemon
        {
            throw AttestationFinding(
                .notBornHere, "The key is \(statement.provenance): somebody else may have it.")
        }
    }

    /// Other people's words are not repeated at any length.
    private static func word(_ text: String) -> String { String(text.prefix(32)) }
}
