import Attestation
import Decryption
import EnclaveLock

/// Says of a TFHE key what is said of other sealed keys: where it came from, and which lock it lies under.
struct TFHEKeyAttester: KeyAttesting {
    let issuer: AttestationIssuer

    func attest(
        _ record: DecryptionKeyRecord, type: String, nonce: [UInt8]
    ) async throws(DecryptionError) -> String {
        let subject = AttestationIssuer.Subject(
            keystore: "decryption", key: record.id, keyVersion: 1, keyType: type, created: record.createdAt * 1000,
            publicKey: nil, protection: "sealed", provenance: "imported",
            evidence: AttestationStatement.Evidence(locks: [
                AttestationStatement.Lock(kind: record.lockKind.name, identity: record.lockIdentity)
            ]))
        do throws(AttestationError) { return try await issuer.issue(subject, nonce: nonce).json } catch {
            throw DecryptionError(.unavailable, "token-away", "the token does not sign now; try again later")
        }
    }
}
